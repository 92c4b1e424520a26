"""Draws small interface pages and tells what a perfect text reader would read on them."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.segmenters.ocr import TextLine

FONT = ImageFont.load_default(size=16)


class Screen:
    """A white page of 640 x 400 that is also its own text reader."""

    version = "drawn"

    def __init__(self, paper=(255, 255, 255), size=(640, 400)):
        self.picture = Image.new("RGB", size, paper)
        self.pen = ImageDraw.Draw(self.picture)
        self.paper = paper
        self.lines = []
        self.recognised = []

    @property
    def image(self):
        return np.array(self.picture)

    def locate(self, image):
        return [line.bbox_xyxy_px for line in self._lines_on(image)]

    def recognise(self, image, boxes):
        known = {line.bbox_xyxy_px: line for line in self._lines_on(image)}
        self.recognised += boxes
        return [known[box] for box in boxes]

    def _lines_on(self, image):
        factor = image.shape[1] / self.picture.width
        return [
            TextLine(
                text=line.text,
                bbox_xyxy_px=tuple(value * factor for value in line.bbox_xyxy_px),
                score=line.score,
                char_x_px=tuple(x * factor for x in line.char_x_px),
            )
            for line in self.lines
        ]

    def text(self, x, y, words, color=(0, 0, 0), underline=False):
        self.pen.text((x, y), words, fill=color, font=FONT)
        left, top, right, bottom = self.pen.textbbox((x, y), words, font=FONT)
        if underline:
            self.pen.line((left, bottom + 1, right - 1, bottom + 1), fill=color)
        centres = [
            x + FONT.getlength(words[:i]) + FONT.getlength(char) / 2 for i, char in enumerate(words) if char != " "
        ]
        self.lines.append(
            TextLine(
                text=words,
                bbox_xyxy_px=(left - 3.0, top - 3.0, right + 3.0, bottom + 4.0),
                score=0.99,
                char_x_px=tuple(centres),
            )
        )
        return right

    def button(self, box, words, fill=(0, 120, 255), ink=(255, 255, 255)):
        self.pen.rounded_rectangle(box, 4, fill=fill)
        width = FONT.getlength(words)
        self.text((box[0] + box[2] - width) / 2, (box[1] + box[3]) / 2 - 10, words, ink)

    def field(self, box, line=(120, 120, 120)):
        self.pen.rectangle(box, fill=self.paper, outline=line)
