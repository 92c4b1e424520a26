"""Tells letters from what a text reader only takes for letters: icons, bullets, signs before a name.

Used by `models.segmenters.detected.naming`.
"""

from models.segmenters.ocr import TextLine

# What the reader makes of outlined icons before a text, and how far such a letter's middle is from the next one's, in
# line heights: a word's last letter is 0.7 from the next word's first, an icon 0.9 to 1.2.
_ICON_LETTERS, _ICON_GAP = "0OoQq&8@©®αà□口日回田品器.,:", 0.85
# Signs that buttons bear for a name and that the reader knows: it was sure of "+" in 2 of 2 steppers. Dashes and crosses stay
# pictograms, since it takes rules and ticked boxes for them.
_NAMING_SIGNS = "+"
_BULLETS = "•·●○◦▪■"


def is_pictogram(line: TextLine) -> bool:
    """True for the single odd characters the reader makes of icons (a gear becomes one CJK letter)."""
    text = line.text.replace(" ", "")
    if len(text) > 2:
        return False
    named = (text.isascii() and text.isalnum()) or text in _NAMING_SIGNS
    return line.score < 0.8 or (len(text) == 1 and not named)


def without_bullet(line: TextLine) -> TextLine:
    """Cut a leading bullet or box, which is not part of the name."""
    head, _, rest = line.text.partition(" ")
    odd_letter = len(head) == 1 and not head.isascii() and rest.isascii()
    if rest and line.char_x_px and len(head) == 1 and (head in _BULLETS or odd_letter):
        return line.slice((line.char_x_px[0] + line.char_x_px[1]) / 2, line.bbox_xyxy_px[2] + 1)
    return line


def without_sign(line: TextLine) -> TextLine:
    """Cut off an icon before the text that was read as round letters: it stands further off than a word would."""
    head, _, rest = line.text.partition(" ")
    drawn = len(head.rstrip(".,:"))
    if not rest or not 0 < drawn <= 3 or set(head) - set(_ICON_LETTERS) or len(line.char_x_px) <= len(head):
        return line
    last, following = line.char_x_px[len(head) - 1], line.char_x_px[len(head)]
    if following - last < _ICON_GAP * line.height_px:
        return line
    return line.slice((last + following) / 2, line.bbox_xyxy_px[2] + 1)
