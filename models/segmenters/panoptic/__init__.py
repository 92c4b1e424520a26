"""Panoptic models as segmenters: every pixel belongs to at most one region. The coarse level of Set-of-Mark."""
