"""Only answers are trained on, pictures are padded and never cut, and what is left out is told by its id."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPImageProcessorPil, PreTrainedTokenizerFast

from models.errors import BadInput
from models.training.conversations import PLACEHOLDER, Conversation
from models.training.encoder import Encoder, TooManyBroken
from models.training.packed import IGNORED
from models.training.packing import TokenisationMismatch
from models.training.recipes import VICUNA_SYSTEM
from models.vlm.squares import pad_colour, to_square
from tests.llava_stand import DEVIATION, INPUT_PX, MEAN, stand_processor

TURNS = (("<image>\nWhat is mark 1?", "red circle."), ("And mark 2?", "blue square."))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (61, 80, 3), np.uint8)).save(folder / "a.png")
    for number in range(3):
        (folder / f"broken{number}.png").write_bytes(b"\x89PNG no picture")
    return folder


@pytest.fixture(scope="module")
def processor():
    return stand_processor()


@pytest.fixture
def said():
    return []


@pytest.fixture
def encoder(processor, images, said):
    def made(**changes):
        given = {"max_tokens": 1024, "broken_allowed": 2, "say": lambda message, **more: said.append((message, more))}
        return Encoder(processor, images, **(given | changes))

    return made


def record(image="a.png", turns=TURNS):
    return Conversation(id="r", image=image, turns=turns)


@pytest.mark.parametrize("system", ["", VICUNA_SYSTEM])
def test_labels_cover_the_answers_and_their_end_tokens_only(processor, encoder, system):
    row = encoder(system=system).encode(record())
    taught = row["labels"][row["labels"] != IGNORED]
    assert processor.tokenizer.decode(taught) == " red circle.</s> blue square.</s>"
    assert (row["input_ids"][row["labels"] != IGNORED] == taught).all()
    assert row["pixel_values"].shape == (3, INPUT_PX, INPUT_PX)


def test_tokens_are_those_of_the_librarys_processor(processor, encoder):
    row = encoder().encode(record())
    text = "USER: <image>\nWhat is mark 1? ASSISTANT: red circle.</s>USER: And mark 2? ASSISTANT: blue square.</s>"
    theirs = processor(text=text, images=Image.new("RGB", (INPUT_PX, INPUT_PX)), return_tensors="pt")
    assert torch.equal(row["input_ids"], theirs["input_ids"][0])


def test_pictures_are_padded_to_a_square_and_never_cut(encoder, images):
    """Equal to the published way: a square of CLIP's mean colour, offset (long - short) // 2, then the usual processor."""
    with Image.open(images / "a.png") as picture:
        square = Image.new("RGB", (80, 80), (122, 116, 104))
        square.paste(picture, (0, (80 - 61) // 2))
    usual = CLIPImageProcessorPil(
        size={"shortest_edge": INPUT_PX}, crop_size=INPUT_PX, image_mean=MEAN, image_std=DEVIATION
    )
    wanted = usual(images=square, return_tensors="pt")["pixel_values"][0]
    torch.testing.assert_close(encoder().encode(record())["pixel_values"], wanted, atol=1e-5, rtol=0)


def test_squares():
    assert pad_colour(MEAN) == (122, 116, 104)
    square = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    assert np.array_equal(to_square(square, 32, MEAN), square)
    upright = to_square(np.full((7, 4, 3), 255, np.uint8), 7, MEAN)
    assert (upright == 255).all(axis=(0, 2)).tolist() == [False, True, True, True, True, False, False]


def test_a_record_without_a_picture_has_no_pixels(encoder):
    assert "pixel_values" not in encoder().encode(record(image=None, turns=(("hi", "None."),)))


def test_broken_pictures_are_told_and_skipped_up_to_the_limit(encoder, said):
    reader = encoder()
    assert [reader.encode(record(image=f"broken{k}.png")) for k in (0, 0, 1)] == [None] * 3
    assert [(more["id"], more["picture"]) for _, more in said] == [("r", "broken0.png"), ("r", "broken1.png")]
    with pytest.raises(TooManyBroken, match="3 pictures cannot be decoded; 2 are allowed; the first are broken0"):
        reader.encode(record(image="broken2.png"))


def test_a_missing_picture_counts_as_broken(encoder):
    reader = encoder()
    assert reader.encode(record(image="nowhere.png")) is None
    assert reader.broken == {"nowhere.png"}


def test_a_picture_outside_the_folder_is_refused(encoder):
    with pytest.raises(BadInput, match=r"record r: .* outside"):
        encoder().encode(record(image="../a.png"))


@pytest.mark.parametrize(
    ("image", "question"), [("a.png", "none"), (None, f"{PLACEHOLDER}\nx"), ("a.png", PLACEHOLDER * 2)]
)
def test_a_picture_must_be_named_once_and_only_where_there_is_one(encoder, image, question):
    with pytest.raises(BadInput, match="record r must name its picture once"):
        encoder().encode(record(image=image, turns=((question, "x"),)))


def test_a_token_across_the_border_of_an_answer_stops_with_the_id(encoder, monkeypatch):
    monkeypatch.setattr(
        "models.training.encoder.chat_and_answers",
        lambda _turns, end, _system: (f"USER: <image>\nhi ASSISTANT: red circle{end}", [(27, 41)]),
    )
    with pytest.raises(TokenisationMismatch, match="record r: a token reaches from a question into its answer"):
        encoder().encode(record())


def test_an_end_token_inside_an_answer_stops_with_the_id(encoder):
    with pytest.raises(TokenisationMismatch, match="record r: 2 end tokens for 1 answers"):
        encoder().encode(record(turns=(("<image>\nq", "one</s>two"),)))


def test_an_answer_that_is_cut_away_is_told_by_its_id(encoder, said):
    reader = encoder(max_tokens=12)
    assert reader.encode(record()) is None
    assert reader.cut_away == {"r"}
    assert said[0][1]["id"] == "r"
    part = encoder(max_tokens=24).encode(record())
    assert len(part["input_ids"]) == 24
    assert (part["labels"] != IGNORED).any()


def test_labels_are_whole_answers_with_a_tokenizer_like_llamas(images):
    """Blanks belong to the next word, unknown letters fall back to bytes, words after an end token get a blank."""
    proper = llama_like(["USER: What? ASSISTANT: red circle. blue. 1. a"] * 3)
    processor = stand_processor()
    processor.tokenizer, processor.image_token_id = proper, proper.convert_tokens_to_ids(PLACEHOLDER)
    reader = Encoder(processor, images, max_tokens=2048, broken_allowed=0, system=VICUNA_SYSTEM)
    turns = (("What?\n<image>", "你 red circle.\n1. a"), ("And?", "blue."))
    labels = reader.encode(record(turns=turns))["labels"]
    taught = proper.convert_ids_to_tokens(labels[labels != IGNORED].tolist())
    assert taught[:4] == ["▁", "<0xE4>", "<0xBD>", "<0xA0>"]
    assert "".join(taught[4:]) == "▁red▁circle.<0x0A>1.▁a</s>▁blue.</s>"


def llama_like(texts):
    """A byte-fallback BPE with LLaMA's normaliser, taught on a few texts; its tokens never reach over a blank."""
    made = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    fixed = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    made.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=400, special_tokens=fixed))
    made = Tokenizer.from_str(json.dumps(json.loads(made.to_str()) | {"pre_tokenizer": None}))
    made.add_special_tokens(["</s>", AddedToken(PLACEHOLDER, special=True, normalized=False)])
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
