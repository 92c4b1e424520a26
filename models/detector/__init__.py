"""The element detector: network, targets, losses, training, evaluation and export to ONNX, from random weights.

`python -m models.detector.train` learns from pages rendered by `models.pages`; `models.segmenters.detector` runs the
exported file. This package is needed only to train; nothing of the service imports it.
"""
