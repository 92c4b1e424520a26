"""Writes a small LLaVA with random weights in the layout of our checkpoints, so that no test depends on trained ones."""

import json
from pathlib import Path

INPUT_PX = 32
PATCH_PX = 8


def write_random_llava(directory: Path, *, seed: int = 0, unknown_token: bool = False) -> None:
    """Write config, weights, tokenizer and picture settings into `directory`."""
    import torch
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    vocabulary = _write_tokenizer(directory / "tokenizer.json", unknown_token=unknown_token)
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=INPUT_PX,
            patch_size=PATCH_PX,
        ),
        text_config=LlamaConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            vocab_size=vocabulary,
            max_position_embeddings=700,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=0,
            tie_word_embeddings=True,
        ),
        image_token_index=3,
        image_seq_length=(INPUT_PX // PATCH_PX) ** 2,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    torch.manual_seed(seed)
    model = LlavaForConditionalGeneration(config)
    with torch.no_grad():
        for parameter in model.parameters():
            # The default deviation of 0.02 makes all answers alike; with 0.3 they differ by picture and prompt.
            parameter.normal_(0.0, 0.3)
    model.save_pretrained(directory, safe_serialization=True)
    (directory / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.5] * 3, "image_std": [0.27] * 3}))


def _write_tokenizer(path: Path, *, unknown_token: bool) -> int:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

    words = {token: number for number, token in enumerate(["<pad>", "<s>", "</s>", "<image>"])}
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    kept = [letter for letter in letters if (letter.isascii() and letter.isalnum()) or letter in 'Ġ:.Ċ<>/"?']
    for letter in kept if unknown_token else letters:
        words[letter] = len(words)
    if unknown_token:
        words["<unk>"] = len(words)
    for pair in ("Ma", "rk"):
        words[pair] = len(words)
    tokenizer = Tokenizer(models.BPE(words, [("M", "a"), ("r", "k")], unk_token="<unk>" if unknown_token else None))
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in ("<pad>", "<s>", "</s>", "<image>")])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokenizer.save(str(path))
    return len(words)
