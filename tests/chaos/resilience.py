"""L3: each thing we stand on, turned bad in each way, for each kind of request. Run: python -m tests.chaos.resilience [--only DEPENDENCY].

Postgres, Redis, object store and model server are reached through proxies (tests/chaos/toxics.py): down, slow by two seconds a round trip, a
kilobyte a second, resetting every connection, silent. Held, for each of the 120 cells: who needs what is bad hears success, 202, or 502, 503 or 504
with a reason; who does not need it hears success; nobody waits longer than 31 s, and all is well within 15 s after. Silence of Postgres is
left to its kernel: a proxy acknowledges what it swallows, so no timeout of TCP can tell.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.settings import Settings
from app.stack import embedded
from app.stack.layout import DataFolder
from app.stack.migrate import migrate
from tests.acceptance.service import drawn, serving
from tests.chaos.house import FORM, until
from tests.chaos.table import Row, run
from tests.chaos.toxics import TOXICS, Mode, Toxic, toxic
from tests.conftest import FAST
from tests.integration.s3_stub import BUCKET, running_stub
from tests.unit.models.vlm.vllm_double import Script, vllm_double

LONGEST_S, BACK_S = 31.0, 15.0
TOLD = {200, 201, 202, 502, 503, 504}
GOOD = {200, 201}
UNTELLABLE = {("postgres", "silent")}


@dataclass(slots=True)
class Callers:
    """Requests of six kinds, each with what it stands on."""

    client: httpx.Client
    image: str = ""
    mark_set: str = ""
    seed: int = 0

    def begin(self) -> None:
        """Make what is asked about."""
        files = {"file": drawn(1, (160, 120))}
        made = self.client.post("/v1/marksets", files=files, data=FORM, headers={"Prefer": "wait=120"})
        self.image, self.mark_set = made.json()["image"]["id"], made.json()["id"]
        assert self.ask().status_code in GOOD, "the model server does not answer"

    def kinds(self) -> dict[str, tuple[Callable[[], httpx.Response], set[str]]]:
        """By name: the request, and what it needs."""
        return {
            "list": (lambda: self.client.get("/v1/images", params={"limit": 1}), {"postgres"}),
            "bring": (self.bring, {"postgres", "store"}),
            "read": (lambda: self.client.get(f"/v1/images/{self.image}/content"), {"postgres", "store"}),
            "mark": (self.mark, {"postgres", "store", "redis"}),
            "ask": (self.ask, {"postgres", "model"}),
            "ready": (lambda: self.client.get("/readyz"), {"postgres", "redis", "store", "model"}),
        }

    def bring(self) -> httpx.Response:
        """A new picture."""
        self.seed += 1
        return self.client.post("/v1/images", files={"file": drawn(50_000 + self.seed, (160, 120))})

    def mark(self) -> httpx.Response:
        """Another one, marked."""
        self.seed += 1
        files = {"file": drawn(50_000 + self.seed, (160, 120))}
        return self.client.post("/v1/marksets", files=files, data=FORM, headers={"Prefer": "wait=5"})

    def ask(self) -> httpx.Response:
        """A question about the mark set."""
        return self.client.post("/v1/ground", json={"mark_set_id": self.mark_set, "query": "What is [1]?"})


@contextmanager
def behind_proxies() -> Iterator[tuple[httpx.Client, dict[str, Toxic]]]:
    """A service that reaches everything through proxies; yields a caller and the proxies by name."""
    home = Path(tempfile.mkdtemp(prefix="mw-toxic-"))
    home.chmod(0o711)
    folder = DataFolder(home=home / "servers")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        servers = Settings(home=folder.home, profile="embedded")
        migrate(stack.enter_context(embedded.started(servers, postgres_options=FAST)))
        store, model = stack.enter_context(running_stub()), stack.enter_context(vllm_double(Script()))
        ways = {
            "postgres": stack.enter_context(toxic(str(folder.postgres_sockets / ".s.PGSQL.5432"))),
            "redis": stack.enter_context(toxic(str(folder.redis_socket))),
            "store": stack.enter_context(toxic(store.server_port)),
            "model": stack.enter_context(toxic(int(model.rpartition(":")[2]))),
        }
        os.environ |= {"AWS_ACCESS_KEY_ID": "t", "AWS_SECRET_ACCESS_KEY": "t", "AWS_DEFAULT_REGION": "us-east-1"}
        os.environ |= {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{ways['store'].port}", "AWS_CONFIG_FILE": "/nonexistent"}
        url = stack.enter_context(
            serving(
                MARKWISE_DATABASE_URL=f"postgresql://postgres@127.0.0.1:{ways['postgres'].port}/markwise",
                MARKWISE_REDIS_URL=f"redis://127.0.0.1:{ways['redis'].port}/0",
                MARKWISE_BLOBS=f"s3://{BUCKET}/l3",
                MARKWISE_VLM_URL=f"http://127.0.0.1:{ways['model'].port}",
                MARKWISE_VLM_MODEL="double",
                MARKWISE_QUEUE_LIMIT="0",
            )
        )
        yield stack.enter_context(httpx.Client(base_url=url, timeout=120)), ways


def cells(callers: Callers, dependency: str, mode: Mode) -> list[tuple[str, int, float, bool]]:
    """Ask all kinds at once; returns of each its name, status (0 for none), seconds, and whether that is as declared."""

    def asked(name: str, request: Callable[[], httpx.Response], needs: set[str]) -> tuple[str, int, float, bool]:
        began = time.monotonic()
        try:
            status = request().status_code
        except httpx.HTTPError:
            status = 0
        took_s = time.monotonic() - began
        allowed = TOLD if dependency in needs else GOOD
        return f"{dependency} {mode}, {name}", status, took_s, status in allowed and took_s <= LONGEST_S

    kinds = callers.kinds()
    with ThreadPoolExecutor(len(kinds)) as pool:
        return [each.result() for each in [pool.submit(asked, name, *kind) for name, kind in kinds.items()]]


def measure(only: str = "") -> Row:
    """Go through all cells."""
    found, late, longest_s = [], [], 0.0
    with behind_proxies() as (client, ways):
        callers = Callers(client)
        callers.begin()
        for dependency, way in ways.items():
            for mode in TOXICS:
                if (only and dependency != only) or (dependency, mode) in UNTELLABLE:
                    continue
                way.mode = mode
                found += cells(callers, dependency, mode)
                way.mode = "well"
                back_s = until(lambda: all(good for _, status, _, good in cells(callers, "", "well")), 60)
                longest_s = max(longest_s, back_s)
                late += [f"{dependency} {mode}: {back_s:.0f} s"] if back_s > BACK_S else []
    bad = [f"{name}: {status} after {took:.0f} s" for name, status, took, good in found if not good]
    slowest_s = max(took for _, _, took, _ in found)
    return Row.of_checks(
        id="L3",
        fault="Postgres, Redis, store and model down, slow, trickling, reset, silent",
        load=f"{len(found)} cells of 120",
        asked=len(found),
        bad=bad,
        recovery_s=longest_s,
        failures=(f"back late, {', '.join(late)}",) if late else (),
        seen=f"{len(found) - len(bad)} of {len(found)} as declared, the slowest answer after {slowest_s:.0f} s; silent Postgres is TCP's",
    )


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
