"""The network with random weights, by a name that says so: to rehearse the way of a picture where no weights are at hand.

Its marks mean nothing. Called by `segmenter` where the setting names one of `RANDOM`; nothing falls back to it.
"""

import torch

from models.segmenters.semantic_sam.network import SemanticSam
from models.segmenters.semantic_sam.picture import SHORT_PX
from models.segmenters.semantic_sam.shape import PUBLISHED_SHAPES, Shape

RANDOM = {
    "random-swin-t": PUBLISHED_SHAPES["swin-t"],
    "random-swin-l": PUBLISHED_SHAPES["swin-l"],
    "random-small": Shape(
        swin_width=16,
        depths=(2, 2, 2, 2),
        swin_heads=(1, 2, 4, 8),
        width=64,
        mask_width=64,
        feedforward=128,
        encoder_layers=2,
        decoder_layers=3,
    ),
}

_SURE = 0.01


def random_network(shape: Shape, seed: int = 0) -> SemanticSam:
    """Return a frozen network, the same for the same shape and seed, that finds masks: sure ones with firm edges."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SemanticSam(shape)
        predictor = network.sem_seg_head.predictor
        with torch.no_grad():
            predictor.mask_tokens.weight.mul_(0.05)
            for layer in [*network.sem_seg_head.pixel_decoder.transformer.encoder.layers, *predictor.decoder.layers]:
                attention = getattr(layer, "cross_attn", None) or layer.self_attn
                attention.sampling_offsets.bias.normal_(std=2.0)
            network.sem_seg_head.pixel_decoder.transformer.level_embed.normal_()
            # Logits far from 0 are stable masks; one click in a hundred is to be sure, that is, above .88.
            predictor.mask_embed.layers[-1].weight.mul_(30)
            predictor.iou_prediction_head.layers[-1].weight.mul_(10)
            network.requires_grad_(requires_grad=False).eval()
            picture = torch.randint(0, 256, (64, 96, 3), dtype=torch.uint8).numpy()
            network.short_px = 64
            scores = network.prompted(network.encode([picture])[0]).ask(torch.rand(64, 2)).scores
            predictor.iou_prediction_head.layers[-1].bias.add_(0.88 - scores.quantile(1 - _SURE))
            network.short_px = SHORT_PX
    return network
