"""docs/api.md against the OpenAPI document of this tree: every route is there, and nothing it says is untrue."""

from tests.documents.reference import OUT, operations, reference, told_fields, told_routes

AGAIN = "docs/api.md is behind the routes: run `make documents` (python -m tests.documents.reference)"


def test_every_route_is_in_the_reference_and_no_other() -> None:
    served = {(method, path) for each in operations().values() for method, path, _ in each}
    assert told_routes(OUT.read_text(encoding="utf-8")) == served, AGAIN


def test_every_field_of_the_reference_is_one_of_the_service() -> None:
    true = told_fields(reference())
    for heading, names in told_fields(OUT.read_text(encoding="utf-8")).items():
        assert names <= true.get(heading, set()), f"{heading}: {AGAIN}"


def test_the_reference_says_what_a_caller_needs() -> None:
    fields = told_fields(reference())
    assert {"segmenter", "regions", "previous_mark_set_id"} <= fields["POST /v1/marksets"]
    assert {"query", "task", "mark_set_id"} <= fields["POST /v1/ground"]
    assert {"point_xy_px", "bbox_xyxy_px"} <= fields["MarkBody"]
