"""A few warm decoder children, one image each at a time; a child that dies or overruns is replaced.

Called by decode.py only. Children are started as new programs (never by forking this process, which may hold threads
and database sockets), with an empty environment, so that a taken-over decoder finds no secret. A child whose parent
vanished reads the end of its socket and leaves; a process that was itself forked forgets its parent's children.
"""

import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.imaging import decoder_child
from app.imaging.errors import Bomb, DecoderBusy, DecoderFailed, ImagingError, NotAnImage, Truncated
from app.imaging.limits import ImageLimits, PoolLimits

PROGRAM = Path(decoder_child.__file__)
# One arena: with one per thread, glibc reserves address space that the memory limit counts.
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1", "LC_ALL": "C"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPicture:
    """What a child sent back, checked against the limits."""

    image: NDArray[np.uint8]  # (H, W, 3) RGB
    orientation: int
    frames: int


class DecoderChild:
    """One running decoder program and our end of its socket."""

    def __init__(self, memory_bytes: int) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs:
            # A session of its own: Ctrl-C in a terminal ends the server, which then ends its decoders.
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(PROGRAM), str(memory_bytes)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
        self.images_done = 0

    @property
    def pid(self) -> int:
        """The process id of the child."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the program is still running."""
        return self._process.poll() is None

    def decode(self, data: bytes, format_name: str, limits: ImageLimits) -> RawPicture:
        """One round trip. OSError or EOFError when the child died or overran: it is then of no further use."""
        deadline_s = time.monotonic() + limits.wall_s
        request = decoder_child.REQUEST.pack(
            decoder_child.FORMATS.index(format_name),
            len(data),
            limits.max_pixels,
            limits.max_side_px,
            limits.max_aspect,
            limits.cpu_s,
        )
        self._channel.settimeout(limits.wall_s)
        self._channel.sendall(request)
        self._channel.sendall(data)
        head = bytearray(decoder_child.REPLY.size)
        self._receive_into(memoryview(head), deadline_s)
        status, width, height, orientation, frames = decoder_child.REPLY.unpack(head)
        self.images_done += 1
        if status == decoder_child.OUT_OF_MEMORY:
            raise EOFError  # it leaves after this reply; who reuses it in that moment would find it dead
        if status != decoder_child.DONE:
            raise _refusal(status, width, height, limits)
        if not (0 < width * height <= limits.max_pixels and 1 <= orientation <= 8):
            raise EOFError
        image = np.empty((height, width, 3), np.uint8)
        self._receive_into(image.data.cast("B"), deadline_s)
        return RawPicture(image=image, orientation=orientation, frames=frames)

    def _receive_into(self, view: memoryview, deadline_s: float) -> None:
        while view:
            self._channel.settimeout(max(deadline_s - time.monotonic(), 0.001))
            count = self._channel.recv_into(view)
            if count == 0:
                raise EOFError
            view = view[count:]

    def kill(self) -> None:
        """End the program and reap it."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Close our copy of the socket in a forked process; the child belongs to the process we came from."""
        self._channel.close()
        self._process.returncode = 0


class DecoderPool:
    """At most `processes` children; a caller waits for a free one, up to `wait_s`."""

    def __init__(self, limits: ImageLimits, pool_limits: PoolLimits) -> None:
        self._limits = limits
        self._pool_limits = pool_limits
        self._idle: list[DecoderChild] = []
        self._reset()
        forget = weakref.WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (method := forget()) and method())

    def decode(self, data: bytes, format_name: str) -> RawPicture:
        """The pixels of one image, or the ImagingError that fits what became of it."""
        with self._borrowed() as child:
            try:
                return child.decode(data, format_name, self._limits)
            except (OSError, EOFError):
                child.kill()
                raise DecoderFailed from None

    def close(self) -> None:
        """End idle children now and borrowed ones as they come back."""
        with self._lock:
            self._closed = True
            idle = self._idle
            self._idle = []
        for child in idle:
            child.kill()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(self._pool_limits.processes)
        self._idle = []
        self._closed = False

    def _forget(self) -> None:
        for child in self._idle:
            child.forget()
        self._reset()

    @contextmanager
    def _borrowed(self) -> Iterator[DecoderChild]:
        slots = self._slots
        if not slots.acquire(timeout=self._pool_limits.wait_s):
            raise DecoderBusy
        try:
            child = self._take()
            try:
                yield child
            finally:
                self._give_back(child)
        finally:
            slots.release()

    def _take(self) -> DecoderChild:
        while True:
            with self._lock:
                if self._closed:
                    raise DecoderBusy
                child = self._idle.pop() if self._idle else None
            if child is None:
                return DecoderChild(self._limits.memory_bytes)
            if child.alive():
                return child
            child.kill()

    def _give_back(self, child: DecoderChild) -> None:
        with self._lock:
            if not self._closed and child.alive() and child.images_done < self._pool_limits.images_per_process:
                self._idle.append(child)
                return
        child.kill()


def _refusal(status: int, width: int, height: int, limits: ImageLimits) -> ImagingError:
    match status:
        case decoder_child.TRUNCATED:
            return Truncated()
        case decoder_child.TOO_MANY_PIXELS if width and height:
            return Bomb(
                f"The image is {width} x {height} pixels; accepted are {limits.max_pixels} pixels in all, "
                f"sides up to {limits.max_side_px} and an aspect up to {limits.max_aspect}:1."
            )
        case decoder_child.TOO_MANY_PIXELS:
            return Bomb()
        case _:
            return NotAnImage()
