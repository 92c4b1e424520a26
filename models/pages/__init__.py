"""Drawn web pages: a seeded generator of HTML and the truth about every control on it, to train the element detector.

`page.draw_page(seed)` is pure Python; `python -m models.pages.render` shows pages in Chromium and stores them;
`python -m models.pages.look` draws the truth on some of them, to be looked at. Nothing here is used at run time.
"""
