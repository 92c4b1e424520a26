"""Runs the models of screenshots on one of two engines: OpenVINO where it is installed, else ONNX Runtime.

Used by the text reader and the element detector. Both engines read the same ONNX files and run one picture at a time: a
batch pads every line to the widest one, which cost ONNX Runtime a quarter of its time. Measured per page on two EPYC cores
(avx512_bf16), seconds of CPU with ONNX Runtime and OpenVINO: text detection .42 and .19, recognition 1.5 and .9 with the
same text, elements .23 and .11 with log-odds that differ by .03 at most.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.errors import WeightsMissing

T = TypeVar("T")
Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Input = Array | Image


class Network(Protocol):
    """An opened model with one input; not safe to share between threads."""

    metadata: dict[str, str]

    def answer(self, picture: Input) -> list[Array]:
        """Return all outputs for one input, as copies."""
        ...

    def run(
        self, pictures: Sequence[Image], prepare: Callable[[Image], Array], finish: Callable[[Array], T]
    ) -> list[T]:
        """Return `finish(first output of prepare(picture))` for each picture, in order.

        Inputs are prepared one by one, and an output lives only until its `finish` returns: a line's answer is 18,710
        numbers a column, and a full-page screenshot has hundreds of lines.
        """
        ...


def engine_name() -> str:
    """Name of the engine that `open_network` takes on this machine."""
    return "openvino" if importlib.util.find_spec("openvino") is not None else "onnxruntime"


def open_network(path: Path, threads: int, engine: str | None = None, *, lanes: int | None = None) -> Network:
    """Open the ONNX file at `path` for at most `threads` cores; raises WeightsMissing if it is not there.

    `lanes` pictures of one `run` go side by side where the engine can: one per core by default.
    """
    if not path.is_file():
        raise WeightsMissing(f"the model {path.name} is missing; reinstall the package that brings it")
    if (engine or engine_name()) == "openvino":
        return _OpenVino(path, threads, lanes or threads)
    return _OnnxRuntime(path, threads)


class _OpenVino:
    """Pictures run side by side, which scales better than one picture on two cores."""

    def __init__(self, path: Path, threads: int, lanes: int) -> None:
        core: Any = _openvino().Core()
        model = core.read_model(path)
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": lanes,
            # Pinned threads of several worker processes would all sit on the same first cores.
            "ENABLE_CPU_PINNING": False,
        }
        compiled = core.compile_model(model, "CPU", settings)
        self._requests = [compiled.create_infer_request() for _ in range(lanes)]
        info: Any = model.get_rt_info()
        self.metadata = {key: value.value for key, value in info["framework"].items()} if "framework" in info else {}

    def answer(self, picture: Input) -> list[Array]:
        """See Network."""
        request = self._requests[0]
        request.infer([picture])
        return [np.array(tensor.data, np.float32) for tensor in request.output_tensors]

    def run(
        self, pictures: Sequence[Image], prepare: Callable[[Image], Array], finish: Callable[[Array], T]
    ) -> list[T]:
        """See Network; the longest first, so that no core is left with a long one at the end."""
        order = sorted(range(len(pictures)), key=lambda index: -pictures[index].shape[1] / pictures[index].shape[0])
        running: dict[int, int] = {}
        results: dict[int, T] = {}
        for turn, index in enumerate([*order, *[-1] * len(self._requests)]):
            lane = turn % len(self._requests)
            request = self._requests[lane]
            if lane in running:
                request.wait()
                results[running.pop(lane)] = finish(request.get_output_tensor(0).data)
            if index >= 0:
                request.start_async([prepare(pictures[index])])
                running[lane] = index
        return [results[index] for index in range(len(pictures))]


def _openvino() -> Any:
    """The package, by name because there is no build for every platform, and without its telemetry.

    Importing it imports a converter that can report its use; where the reporting package is absent it takes its own stub.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None is how Python blocks an import
    return importlib.import_module("openvino")


class _OnnxRuntime:
    """One picture after the other on all cores."""

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.enable_cpu_mem_arena = False
        # Spinning threads made a busy 2-core machine 2-5 times slower.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

    def answer(self, picture: Input) -> list[Array]:
        """See Network."""
        return list(self._session.run(None, {self._input: picture}))

    def run(
        self, pictures: Sequence[Image], prepare: Callable[[Image], Array], finish: Callable[[Array], T]
    ) -> list[T]:
        """See Network."""
        return [finish(self.answer(prepare(one))[0]) for one in pictures]
