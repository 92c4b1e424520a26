"""Finds pictures with painted marks in a corpus (SoM-LLaVA, arXiv 2404.16375, 3.2): a small ViT that learnt it from our own drawings.

`train` teaches it, `search` scores pictures, `ranking` orders them, `gallery` shows the ranking. Knows no catalog and no HTTP.
"""

from typing import Final

RECIPE: Final = "finder"
"""What the training of a finder is called among the recipes, and the kind of model version that comes of it."""
