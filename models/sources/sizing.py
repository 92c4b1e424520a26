"""Shares of an image -> pixels, once the picture is open. Called for sources that state boxes without a size."""

from dataclasses import replace

from models.facts import Box, ImageFacts


def in_pixels(facts: ImageFacts, size_hw: tuple[int, int]) -> ImageFacts:
    """Return facts on a frame of 1 x 1 as facts on a frame of `size_hw`. Outlines are not stated as shares anywhere."""
    height, width = size_hw

    def scaled(box: Box) -> Box:
        return box[0] * width, box[1] * height, box[2] * width, box[3] * height

    return replace(
        facts,
        size_hw=size_hw,
        objects=tuple(replace(item, bbox_xyxy_px=scaled(item.bbox_xyxy_px)) for item in facts.objects),
        regions=tuple(replace(region, bbox_xyxy_px=scaled(region.bbox_xyxy_px)) for region in facts.regions),
    )
