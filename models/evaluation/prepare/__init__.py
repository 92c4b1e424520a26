"""Turns published data sets of other layouts into the question and label files that runs ask and scorers read.

`refcoco` and `som_bench` read, `plain_pickle` opens RefCOCO's files without running them, `writing` writes. Knows no model.
"""
