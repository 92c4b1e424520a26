"""Scores answers about marked pictures and runs a checkpoint over held-out drawings.

The scorer knows only texts; the runner loads a checkpoint the way serving does. Nothing here trains.
"""
