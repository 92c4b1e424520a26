"""Mixtures of training texts: which samples a recipe takes, how often, in which order, and what a trainer can load.

Pure rules over streams with seeded draws; the dataset build calls them, tests hold their constants. Knows no catalog, no
HTTP and no pictures: a sample is its words and the name of its picture.
"""
