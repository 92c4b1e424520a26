"""Semantic-SAM (Li et al. 2023) from its published weights, with torch alone: six learned levels of granularity.

`shape` reads a checkpoint's sizes and `checkpoint` holds it against them; `swin`, `deformable`, `pixel_decoder` and `decoder`
are the network, `network` puts them together; `everything` is the automatic mask generator, `clicking` answers points and
boxes, `tagging` is SoM-LLaVA's way of making tags, `segmenter` is what the registry names. Importing the package loads no torch.
"""
