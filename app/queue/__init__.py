"""How work is promised: a Postgres row is the job, Redis and Celery carry hints that may be lost or repeated."""
