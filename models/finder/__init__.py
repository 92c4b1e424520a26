"""Finds pictures with painted marks in a corpus (SoM-LLaVA, arXiv 2404.16375, 3.2): a small ViT that learnt it from our own drawings.

`train` teaches it, `search` scores pictures, `gallery` shows the ranking. Knows no catalog and no HTTP.
"""
