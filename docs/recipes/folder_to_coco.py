"""Mark every picture of a folder and write one COCO file: python folder_to_coco.py photos/ --out photos.json

Run it again after an interruption: pictures that the service has marked already come back at once. A picture that cannot be
read is named on stderr and left out; the exit status is 1 then.
"""

import argparse
import json
import sys
from pathlib import Path

from markwise import ApiError, Client, MarkwiseError

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}


class CocoFile:
    """One COCO document, put together from those of single pictures."""

    def __init__(self) -> None:
        self.images: list[dict] = []
        self.annotations: list[dict] = []
        self.categories: dict[str, int] = {}

    def add(self, name: str, one: dict) -> None:
        """Take in the document of one picture under numbers of our own."""
        image_id = len(self.images) + 1
        self.images.append(one["images"][0] | {"id": image_id, "file_name": name})
        names = {category["id"]: category["name"] for category in one["categories"]}
        for annotation in one["annotations"]:
            category = self.categories.setdefault(names[annotation["category_id"]], len(self.categories) + 1)
            numbers = {"id": len(self.annotations) + 1, "image_id": image_id, "category_id": category}
            self.annotations.append(annotation | numbers)

    def write(self, out: Path) -> None:
        """Write the document."""
        categories = [{"id": number, "name": name} for name, number in self.categories.items()]
        whole = {"images": self.images, "annotations": self.annotations, "categories": categories}
        out.write_text(json.dumps(whole), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="the COCO file to write")
    parser.add_argument("--segmenter", default="auto", help="auto, gui, regions, sam, ...")
    parser.add_argument("--granularity", type=int, help="1 (coarse) to 6 (fine)")
    given = parser.parse_args()

    pictures = sorted(path for path in given.folder.rglob("*") if path.suffix.lower() in PICTURES)
    if not pictures:
        parser.error(f"{given.folder} holds no pictures")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    coco, refused = CocoFile(), 0
    with Client() as client:  # MARKWISE_SERVER and MARKWISE_KEY say where
        for path in pictures:
            try:
                mark_set = client.mark(path, segmenter=given.segmenter, granularity=given.granularity)
            except ApiError as error:
                print(f"{path}: {error}", file=sys.stderr)
                refused += 1
                continue
            coco.add(str(path.relative_to(given.folder)), json.loads(client.export_marks(mark_set, format="coco")))
            print(f"{path}: {len(mark_set.marks)} marks by {mark_set.segmenter.name}")
    coco.write(given.out)
    print(f"{len(coco.images)} pictures, {len(coco.annotations)} regions -> {given.out}")
    return 1 if refused else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MarkwiseError as error:
        sys.exit(str(error))
