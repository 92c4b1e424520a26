"""Where the bytes lie: one store of immutable blobs, a directory or an S3 bucket.

Called by services and workers through the BlobStore protocol. Knows nothing of images, tenants' rights or SQL.
"""
