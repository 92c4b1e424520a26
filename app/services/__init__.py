"""The rules, between HTTP and the catalog. No HTTP, no SQL, no Celery."""
