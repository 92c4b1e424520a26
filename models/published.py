"""Checkpoints that others publish: names, addresses and sums. Facts only, read by whoever downloads or must tell weights apart."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A file that somebody publishes: where, how large, and its SHA-256."""

    url: str
    size: int
    sha256: str

    @property
    def file(self) -> str:
        """Its file name."""
        return self.url.rpartition("/")[2]


_SAM = "https://dl.fbaipublicfiles.com/segment_anything/"

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
}
