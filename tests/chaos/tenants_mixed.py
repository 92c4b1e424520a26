"""A3, A4, A5: many tenants at once, each with a watermark in all it brings. Run: python -m tests.chaos.tenants_mixed [--tenants N].

Names, labels and pixels carry whose they are. Held: nobody meets another's watermark in any answer; no key stands in a log, in the catalog or
in what a process was started with, and a revoked one is refused within a second; nothing listens but the API, on loopback.
"""

import io
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import httpx
import psutil
from PIL import Image

from app.catalog.session import app_engine, transaction
from app.services.keys import ALL_SCOPES, issue
from app.settings import Settings
from app.stack import embedded
from tests.chaos.house import House, house
from tests.chaos.table import Row, run
from tests.conftest import add_tenant
from tests.unit.app.imaging.pictures import encoded

REVOKED_S = 1.0


@dataclass(slots=True, kw_only=True)
class Tenant:
    """One of them, with what it was told that was not its own."""

    number: int
    key: str
    foreign: list[str] = field(default_factory=list)
    asked: int = 0

    @property
    def mark(self) -> str:
        """The word that stands in all it brings."""
        return f"watermark-{self.number:04d}-of"

    @property
    def color(self) -> tuple[int, int, int]:
        """The colour of its pictures."""
        return 10 + 7 * (self.number % 32), 200 - 5 * (self.number % 32), 90

    def work(self, url: str, rounds: int) -> None:
        """Bring a picture, read everything, look for what is not one's own."""
        with httpx.Client(base_url=url, timeout=120, headers={"Authorization": f"Bearer {self.key}"}) as client:
            for turn in range(rounds):
                file = encoded(Image.new("RGB", (40 + turn, 40), self.color), "PNG")
                made = client.post("/v1/images", files={"file": file}, data={"labels": f'["{self.mark}"]'})
                self._look(made)
                if made.status_code == 201:
                    self._look_at_pixels(client.get(f"/v1/images/{made.json()['id']}/content"))
                for path in (
                    "/v1/images",
                    "/v1/marksets",
                    "/v1/jobs",
                    "/v1/answers",
                    "/v1/texts",
                    "/v1/keys",
                    "/v1/audit",
                ):
                    self._look(client.get(path, params={"limit": 100}))
                self._look(client.get("/v1/images", params={"label": "watermark-0000-of"}))
                order = {"benchmark": "listing", "n": 1, "seed": self.number}
                headers = {"Prefer": "respond-async", "Idempotency-Key": "the same for all"}
                self._look(client.post("/v1/evaluations", json=order, headers=headers))

    def _look(self, answer: httpx.Response) -> None:
        self.asked += 1
        words = {word[:17] for word in answer.text.split("watermark-")[1:]}
        if answer.status_code >= 500 or any(not f"watermark-{word}".startswith(self.mark) for word in words):
            self.foreign.append(f"{answer.request.url.path}: {answer.status_code} {answer.text[:80]}")

    def _look_at_pixels(self, answer: httpx.Response) -> None:
        self.asked += 1
        if Image.open(io.BytesIO(answer.content)).convert("RGB").getpixel((5, 5)) != self.color:
            self.foreign.append("a picture of another colour")


def measure(tenants: int = 16, rounds: int = 8) -> Iterator[Row]:
    """Let all of them work at once; then look at logs, catalog, processes and sockets."""
    with house(MARKWISE_API_PROCESSES="2", MARKWISE_KEY_REQUESTS_PER_MIN="0") as place:
        everybody = list(settled_in(place, tenants))
        threads = [threading.Thread(target=each.work, args=(place.url, rounds)) for each in everybody]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        yield _mixed(everybody)
        yield _keys(place, everybody)
        yield _exposed(place)


def settled_in(place: House, count: int) -> Iterator[Tenant]:
    """Make tenants with a key each."""
    settings = embedded.addresses(Settings(home=place.folder.home, profile="embedded"))
    engine = app_engine(settings)
    try:
        for number in range(count):
            tenant: UUID = add_tenant(settings, f"tenant {number}")
            with transaction(engine, tenant) as session:
                _, key = issue(session, f"watermark-{number:04d}-of", list(ALL_SCOPES))
            yield Tenant(number=number, key=key)
    finally:
        engine.dispose()


def _mixed(everybody: list[Tenant]) -> Row:
    asked, foreign = sum(each.asked for each in everybody), [said for each in everybody for said in each.foreign]
    return Row.of_checks(
        id="A3",
        fault=f"{len(everybody)} tenants at once",
        load=f"{asked} requests",
        asked=asked,
        bad=foreign,
        seen=f"{len(foreign)} times something of another",
    )


def _keys(place: House, everybody: list[Tenant]) -> Row:
    """Look for the keys where they must not be, and see how long a revoked one lives."""
    texts = {path.name: path.read_bytes() for path in place.folder.logs.iterdir() if path.is_file()}
    tables = [row[0] for row in place.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    for table in tables:
        texts[table] = "\n".join(row[0] for row in place.rows(f"SELECT {table}::text FROM {table}")).encode()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # a decoder comes and goes
            texts[f"process {process.pid}"] = repr((process.cmdline(), process.environ())).encode()
    secrets = [each.key.encode()[8:40] for each in everybody]
    found = [name for name, text in texts.items() if any(secret in text for secret in secrets)]
    lived_s = _revoked(place, everybody[0].key)
    return Row.of_checks(
        id="A4",
        fault="keys looked for, one revoked",
        load=f"{len(secrets)} keys, {len(texts)} logs, tables and processes",
        asked=len(texts),
        bad=[f"a key stands in {name}" for name in found],
        recovery_s=lived_s,
        failures=(f"a revoked key lived {lived_s:.1f} s",) if lived_s > REVOKED_S else (),
        seen=f"{len(found)} places with a key; the revoked one refused after {1000 * lived_s:.0f} ms by both API processes",
    )


def _revoked(place: House, key: str) -> float:
    """Revoke a key, and return the seconds until nothing lets it in any more, asked 30 times more to meet both processes."""
    headers = {"Authorization": f"Bearer {key}"}
    with place.client() as client:
        own = client.get("/v1/keys", headers=headers).json()["data"][0]["id"]
        client.delete(f"/v1/keys/{own}", headers=headers).raise_for_status()
    began, last = time.monotonic(), 0.0
    for _ in range(30):
        with place.client() as client:
            if client.get("/v1/images", headers=headers).status_code != 401:
                last = time.monotonic() - began
    return last


def _exposed(place: House) -> Row:
    """Every socket that the service listens on."""
    family = psutil.Process().children(recursive=True)
    listening = set()
    for process in family:
        with suppress(psutil.NoSuchProcess):
            links = process.net_connections("inet")
            listening |= {f"{link.laddr.ip}:{link.laddr.port}" for link in links if link.status == psutil.CONN_LISTEN}
    wanted = {place.url.removeprefix("http://")}
    return Row(
        id="A5",
        fault="open ports looked for",
        load=f"{len(family)} processes",
        survived=len(listening & wanted),
        lost=len(listening - wanted),
        failures=tuple(f"{one} is open" for one in sorted(listening - wanted)),
        seen=f"only {', '.join(sorted(wanted))} listens",
    )


def main() -> None:
    """Measure and print the rows."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
