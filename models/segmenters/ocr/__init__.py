"""Reads text from pixels: finds the lines first, recognises only those that somebody asks for, remembers both.

Used by `models.segmenters.gui`. It knows nothing about widgets. `OcrReader` is the reader, `PageText` the text of one
page as the element finders see it. Importing this loads no model library.
"""

from models.segmenters.ocr.lines import Box, PageText, TextLine, TextReader
from models.segmenters.ocr.reader import OcrReader

__all__ = ["Box", "OcrReader", "PageText", "TextLine", "TextReader"]
