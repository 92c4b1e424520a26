"""Lines of guides that a reader copies into a program of his own do there what the guide says."""

from typing import Any

from app.services.webhooks import signed_headers
from tests.documents.blocks import named


def test_a_receiver_knows_our_webhooks_from_others() -> None:
    names: dict[str, Any] = {}
    exec(named("docs/production.md", "verify").text, names)
    secret, body = "whsec_c2VjcmV0IG9mIGEgd2ViaG9vaw==", b'{"type": "job.succeeded"}'
    headers = {name.decode(): value.decode() for name, value in signed_headers(secret, "id-1", 1_700_000_000, body)}
    assert names["is_ours"](secret, headers, body)
    assert not names["is_ours"](secret, headers, body + b" ")
    assert not names["is_ours"]("whsec_b3RoZXI=", headers, body)
    assert not names["is_ours"](secret, headers | {"webhook-timestamp": "1700000001"}, body)
