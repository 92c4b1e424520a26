"""Vision-language backends: what they are asked (`prompts`), how their answers are read (`parse`), and who answers.

`local` needs torch and is imported only by who runs a model in process; everything else here is torch-free.
"""
