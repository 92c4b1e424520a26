"""The model library: regions, marks, segmenters, vision-language backends, training and evaluation.

It knows nothing of HTTP, SQL or job queues; `app` and `workers` call it, never the other way round.
"""
