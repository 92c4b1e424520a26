"""The trainer: recipes, stages, checkpoints and the program `python -m models.training.run`.

It reports progress as JSON lines on standard output and knows nothing of jobs, databases or HTTP.
"""
