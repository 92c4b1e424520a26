"""The processes of one training run: started together, ended together, heard through the first.

As torchrun does on one machine, but in our process groups: torchrun puts its ranks into sessions of their own, where a kill of
the launcher leaves them running. Each rank dies with this process. Knows nothing of what is trained.
"""

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from app.stack.processes import ProcessSpec, kill_group, signal_process, spawn

LOOK_S = 0.5


class Ranks:
    """`count` processes with the same command line; `lines` is what the first one prints."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], count: int, log: Path) -> None:
        """Start them; what the others print goes to `log`."""
        self._others: list[subprocess.Popen[bytes]] = []
        place = {} if count == 1 else {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
        with log.open("ab") as kept:
            for rank in range(1, count):
                spec = ProcessSpec(
                    name=f"trainer {rank}", argv=argv, environment={**environment, **place, **_numbers(rank, count)}
                )
                self._others.append(spawn(spec, output=kept))
            first = {**environment, **place, **(_numbers(0, count) if count > 1 else {})}
            self._first = spawn(ProcessSpec(name="trainer", argv=argv, environment=first), output=subprocess.PIPE)

    def lines(self) -> Iterator[str | None]:
        """Yield what the first prints, line by line, and None whenever all have been silent for half a second.

        Ends when the first does, or another has failed: without it the rest would wait for ever.
        """
        if self._first.stdout is None:
            return
        descriptor = self._first.stdout.fileno()
        pending = b""
        with selectors.DefaultSelector() as waiting:
            waiting.register(descriptor, selectors.EVENT_READ)
            while not any(other.poll() for other in self._others):
                if not waiting.select(LOOK_S):
                    yield None
                    continue
                read = os.read(descriptor, 65536)
                if not read:
                    break
                *whole, pending = (pending + read).split(b"\n")
                for line in whole:
                    yield line.decode("utf-8", "replace")
        if pending:
            yield pending.decode("utf-8", "replace")

    def wait(self) -> int:
        """Return 0 once all have ended well, else the status of the first that has not; nothing of them is left then."""
        every = (self._first, *self._others)
        while any(process.poll() is None for process in every) and not any(process.poll() for process in every):
            time.sleep(0.05)
        status = next((int(process.returncode) for process in every if process.poll()), 0)
        self.stop(0.0)
        return status

    def stop(self, grace_s: float) -> None:
        """Ask all to save and end, wait at most `grace_s` for them together, then end their whole groups."""
        every = (self._first, *self._others)
        deadline = time.monotonic() + grace_s
        for process in every:
            signal_process(process, signal.SIGTERM)
        try:
            for process in every:
                process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:
            for process in every:
                kill_group(process)
            for process in every:
                process.wait(5)
            if self._first.stdout is not None:
                self._first.stdout.close()


def _numbers(rank: int, count: int) -> dict[str, str]:
    """What torch.distributed reads."""
    return {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
