"""Checkpoints that others publish: names, addresses and sums. Facts only, read by whoever downloads or must tell weights apart."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A file that somebody publishes: where, how large, and its SHA-256; None where nobody says so."""

    url: str
    size: int | None
    sha256: str | None

    @property
    def file(self) -> str:
        """Its file name."""
        return self.url.rpartition("/")[2]


_SAM = "https://dl.fbaipublicfiles.com/segment_anything/"
_SEMANTIC_SAM = "https://github.com/UX-Decoder/Semantic-SAM/releases/download/checkpoint/"

# Meta publishes no SHA-256 beside these files. The sums stand alike in several independent projects that verify their
# downloads (micro-sam, deepof, 3D Slicer's TomoSAM); the six digits in the names are the start of the MD5, not of these.
PUBLISHED = {
    "sam-vit-b": Published(
        url=f"{_SAM}sam_vit_b_01ec64.pth",
        size=375_042_383,
        sha256="ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
    ),
    "sam-vit-l": Published(
        url=f"{_SAM}sam_vit_l_0b3195.pth",
        size=1_249_524_607,
        sha256="3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    ),
    "sam-vit-h": Published(
        url=f"{_SAM}sam_vit_h_4b8939.pth",
        size=2_564_550_879,
        sha256="a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
    ),
    # No sum of this file was found anywhere: the operator brings one, `NAME@sha256:SUM`.
    "semantic-sam-swin-t": Published(url=f"{_SEMANTIC_SAM}swint_only_sam_many2many.pth", size=None, sha256=None),
    # The sum that one public copy of the file bears (a Hugging Face space, 895 MB); the publisher gives none.
    "semantic-sam-swin-l": Published(
        url=f"{_SEMANTIC_SAM}swinl_only_sam_many2many.pth",
        size=None,
        sha256="f85bee1faa64154831a75598048d133e345874dbd7ef87d00b6446c1ae772956",
    ),
}
PIN = "@sha256:"
"""Between a published name and the sum that an operator trusts, which then counts."""
