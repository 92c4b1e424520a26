"""Published annotation files, read record by record: an image's name and what its source says about it.

Readers stream and never hold a whole file; a record that cannot be used becomes a `Fault` that names it. Called by the
import worker and by benches. Knows nothing of the catalog, of HTTP, or of where pictures are stored.
"""
