"""Two helpers that exist only in training: dense heads on the patches, and words that stand in for a picture.

`PatchHeads` asks every patch of the vision tower what it shows. `PatchWords` is the other way round: the true labels
become 196 pretend picture tokens, so that the language model can learn its tasks without pixels while the vision
tower still learns to see; later the projector is taught to produce the same tokens. Neither is saved with the model.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

WORD_STD = 0.04
BACKGROUND_WEIGHT = 0.15
TAG_BACKGROUND_WEIGHT = 0.04


class PatchHeads(nn.Module):
    """One linear classifier for all label columns: (B, 196, width) -> a loss, or predictions per column."""

    def __init__(self, width: int, columns: Mapping[str, int]) -> None:
        """Prepare `sum(columns)` outputs; class 0 of every column is background."""
        super().__init__()
        self.columns = dict(columns)
        self.classify = nn.Linear(width, sum(columns.values()))

    def loss(self, features: Tensor, labels: Tensor) -> Tensor:
        """Mean cross entropy over the columns, background counted less; `labels` is (B, 196, columns) int64."""
        labels = labels.to(features.device)
        total = torch.zeros((), dtype=torch.float32, device=features.device)
        for column, (name, logits) in enumerate(self._split(features)):
            weight = torch.ones(logits.shape[-1], device=features.device)
            weight[0] = TAG_BACKGROUND_WEIGHT if name.startswith("tag") else BACKGROUND_WEIGHT
            total = total + functional.cross_entropy(logits.flatten(0, 1), labels[..., column].flatten(), weight)
        return total / len(self.columns)

    def accuracy(self, features: Tensor, labels: Tensor) -> dict[str, float]:
        """Share of right classes among the patches that are not background, per column."""
        scores, labels = {}, labels.to(features.device)
        for column, (name, logits) in enumerate(self._split(features)):
            truth = labels[..., column]
            here = truth > 0
            scores[name] = float((logits.argmax(-1) == truth)[here].float().mean())
        return scores

    def _split(self, features: Tensor) -> list[tuple[str, Tensor]]:
        logits: Tensor = self.classify(features).float()
        return list(zip(self.columns, logits.split(list(self.columns.values()), dim=-1), strict=True))


class PatchWords(nn.Module):
    """Labels (B, 196, columns) -> pretend picture tokens (B, 196, width): the sum of one vector per label."""

    def __init__(self, width: int, columns: Mapping[str, int]) -> None:
        """Start with small random vectors."""
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, width) for size in columns.values())
        for table in self.tables:
            nn.init.normal_(table.get_parameter("weight"), std=WORD_STD)

    def forward(self, labels: Tensor) -> Tensor:
        """Look the labels up and add."""
        labels = labels.to(self.tables[0].get_parameter("weight").device)
        total: Tensor = sum(table(labels[..., column]) for column, table in enumerate(self.tables))
        return total
