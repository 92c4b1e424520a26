"""Reading corpora: how much of a LLaVA-style file lists things, what its texts are like, and a sample for people to judge.

One pass in flat memory over files of any size. Called by the commands `dataset stats` and `dataset audit`.
"""
