"""How the `gui` segmenter sees widgets: plates, ink and signs, what they are, and how they belong together."""
