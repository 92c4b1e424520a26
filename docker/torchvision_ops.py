"""Declares two of torchvision's operators when it is imported; copied into vLLM's environment as sitecustomize.py.

torchvision 0.28 is published as a plain wheel for CUDA only. Beside a CPU build of torch its compiled operators do not load, and
importing it ends at `torchvision::nms`. vLLM never calls them: their schemas, declared, are enough for the rest to work.
"""

import importlib.abc
import sys

SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


class _BeforeTorchvision(importlib.abc.MetaPathFinder):
    """Acts once, when torchvision is about to be imported: importing torch at every start would cost seconds."""

    library = None

    def find_spec(self, name, path=None, target=None) -> None:  # noqa: ANN001 - the signature of the standard library
        if name == "torchvision" and _BeforeTorchvision.library is None:
            sys.meta_path.remove(self)
            import torch

            _BeforeTorchvision.library = torch.library.Library("torchvision", "DEF")
            for operator in ("nms", "qnms"):
                _BeforeTorchvision.library.define(operator + SCHEMA)


sys.meta_path.insert(0, _BeforeTorchvision())
