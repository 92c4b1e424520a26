"""Images at the border: fetch a URL, decode untrusted bytes in a limited child, encode our own pixels.

Called by the services, the workers and the command line. Knows nothing of HTTP responses, SQL or models.
"""
