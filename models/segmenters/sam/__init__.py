"""Segment Anything (Kirillov et al. 2023) from its published weights: everything-mode and prompts, with less work.

`shape` reads a checkpoint's sizes, `encoder`, `prompts` and `decoder` are the network, `network` puts them together,
`everything` is the automatic mask generator, `prompting` answers points, boxes and strokes, `segmenter` is what the
registry names. Importing the package loads no torch.
"""
