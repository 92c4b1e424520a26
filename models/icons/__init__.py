"""Teaches a small network the names of icons, from icons of our own drawing shown in Chromium.

`shapes` draws them, `sheets` shows and cuts them, `train` trains and exports. The product only reads the exported file
(`models.segmenters.detected.icons`).
"""
