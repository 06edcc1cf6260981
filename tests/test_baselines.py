"""The systems that botkit is measured against: each finds what is plainly right, and scores as it says."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small import FRUIT, write

from botkit import corpus, encoder, evaluation
from botkit.corpus import Label
from botkit.index.cache import key_of
from botkit.index.embedding_cache import EmbeddingCache
from eval import baselines, public

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:FutureWarning")

QUESTIONS = {
    "storing apples through the winter": "apple",
    "pears so hard, when are they ripe": "pear",
    "plums to prunes in an oven": "plum",
}
"""To FRUIT, each with words of its article."""
needs_haystack = pytest.mark.skipif(
    importlib.util.find_spec("haystack") is None, reason="haystack-ai is not installed: pip install -e '.[bench]'"
)


@pytest.fixture(scope="module")
def fruit(tmp_path_factory: pytest.TempPathFactory) -> corpus.Corpus:
    """FRUIT, an article in Turkish too, and one that no customer may see."""
    more = {
        "tr/apple.md": "---\ntitle: Hangi elma en uzun dayanır?\n---\nSerin bir kilerde Amasya.\n",
        "en/staff.md": "---\ntitle: storing apples through the winter\naudience: agent\n---\nFor us.\n",
    }
    folder = tmp_path_factory.mktemp("fruit")
    return corpus.load(write(folder, {**FRUIT, **more, "corpus.toml": 'languages = ["en", "tr"]\n'}))


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> corpus.Corpus:
    """FRUIT as it is."""
    return corpus.load(write(tmp_path_factory.mktemp("english"), FRUIT))


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingCache:
    """The default encoder, embedding each text once."""
    return EmbeddingCache(encoder.load(), tmp_path_factory.mktemp("memory"))


def made(name: str, found: corpus.Corpus, memory: EmbeddingCache, folder: Path) -> baselines.System:
    """One system over a corpus."""
    text: list[str] = []
    (system,) = baselines.systems([name], found, memory, folder, text.append)
    assert text == []
    return system


@pytest.mark.parametrize("name", ["bm25", "dense", "fusion", pytest.param("haystack", marks=needs_haystack), "minilm"])
def test_each_system_finds_the_plainly_right_article(
    name: str, fruit: corpus.Corpus, english: corpus.Corpus, memory: EmbeddingCache, tmp_path: Path
) -> None:
    """First of all, each article once, and never one that customers may not see."""
    searched = english if name == "minilm" else fruit
    result = made(name, searched, memory, tmp_path).ask(list(QUESTIONS), ["en"] * len(QUESTIONS))

    assert [ranked[0][0] for ranked in result] == list(QUESTIONS.values())
    for ranked in result:
        ids = [article for article, _ in ranked]
        assert len(ids) == len(set(ids)) <= baselines.LIMIT
        assert set(ids) <= {"apple", "pear", "plum"}


@pytest.mark.parametrize("name", ["bm25", "dense", pytest.param("haystack", marks=needs_haystack), "minilm"])
def test_scores_fall_along_a_ranking(name: str, english: corpus.Corpus, memory: EmbeddingCache, tmp_path: Path) -> None:
    """Where the score is what orders."""
    for ranked in made(name, english, memory, tmp_path).ask(list(QUESTIONS), [None] * len(QUESTIONS)):
        scores = [score for _, score in ranked]
        assert scores == sorted(scores, reverse=True)


def test_a_foreign_article_is_found_by_meaning_alone(
    fruit: corpus.Corpus, memory: EmbeddingCache, tmp_path: Path
) -> None:
    """An article's translations are its rows too; words of no row find nothing."""
    asked = ["meyveler kışın nasıl saklanır"]
    assert made("dense", fruit, memory, tmp_path).ask(asked, ["tr"])[0][0][0] == "apple"
    assert made("bm25", fruit, memory, tmp_path).ask(asked, ["tr"]) == [[]]


def test_bm25_scores_as_rank_bm25_does(fruit: corpus.Corpus) -> None:
    """The compiled table gives its scores: repeated, unknown and absent words too."""
    words = baselines._Words(baselines.Rows(fruit.articles))
    for text in (*QUESTIONS, "pears pears quince the", "quince", ""):
        np.testing.assert_allclose(words.scores(text), words.okapi.get_scores(words.split(text)), atol=1e-9)


def test_dense_scores_are_the_best_cosines(fruit: corpus.Corpus, memory: EmbeddingCache, tmp_path: Path) -> None:
    """Of a phrasing with the query's prefix, or of a passage with the document's."""
    system = made("dense", fruit, memory, tmp_path)
    (question,) = memory.encode_query(["a cool cellar for Bramley and Cox"])
    apple = [a for a in fruit.articles if a.id == "apple"]
    phrasings = memory.encode_query([p for a in apple for p in a.phrasings])
    passages = memory.encode_document([f"{a.title}\n{p.text}" for a in apple for p in a.passages])
    expected = max((phrasings @ question).max(), (passages @ question).max())

    scores = dict(system.ask(["a cool cellar for Bramley and Cox"], [None])[0])

    assert scores["apple"] == pytest.approx(expected, abs=1e-6)


def test_rank_fusion_orders_by_ranks_and_scores_by_cosines(
    fruit: corpus.Corpus, memory: EmbeddingCache, tmp_path: Path
) -> None:
    """Worked out here from the two rankings; an article without a common word has no rank in words."""
    texts = [*QUESTIONS, "hard apples in the oven", "neck pain from a hard pillow", "quinces"]
    pages = ["en"] * len(texts)
    by_words, by_cosine, fused = (
        made(name, fruit, memory, tmp_path).ask(texts, pages) for name in ("bm25", "dense", "fusion")
    )
    for words, cosines, ranked in zip(by_words, by_cosine, fused, strict=True):
        assert dict(ranked) == dict(cosines)
        points = {article: 1 / (60 + rank) for rank, (article, _) in enumerate(cosines, 1)}
        for rank, (article, _) in enumerate(words, 1):
            points[article] += 1 / (60 + rank)
        scores = dict(cosines)
        assert [a for a, _ in ranked] == sorted(points, key=lambda a: (-points[a], -scores[a]))
    assert any([a for a, _ in f] != [a for a, _ in c] for f, c in zip(fused, by_cosine, strict=True))


@needs_haystack
def test_haystack_finds_what_its_own_store_would(fruit: corpus.Corpus, memory: EmbeddingCache, tmp_path: Path) -> None:
    """The store here only goes a shorter way to the same documents, in the same order, with the same scores."""
    system = made("haystack", fruit, memory, tmp_path)
    from haystack import Document
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    rows = baselines.Rows([a for a in fruit.articles if a.audience == "customer"])
    vectors = baselines._Dense(rows, memory).vectors
    ours, theirs = baselines.haystack_store(rows, vectors), InMemoryDocumentStore(shared=False)
    theirs.write_documents(
        [Document(id=str(n), content=text, embedding=vectors[n].tolist()) for n, text in enumerate(rows.texts)]
    )
    for text in QUESTIONS:
        vector = memory.encode_query([text])[0].tolist()
        pairs = [
            (ours.bm25_retrieval(text, top_k=5), theirs.bm25_retrieval(text, top_k=5)),
            (ours.embedding_retrieval(vector, top_k=5), theirs.embedding_retrieval(vector, top_k=5)),
        ]
        for mine, own in pairs:
            assert [d.id for d in mine] == [d.id for d in own] != []
            np.testing.assert_allclose([d.score for d in mine], [d.score for d in own], atol=1e-6)
    assert system.ask(["", "storing apples"], [None, None])[1][0][0] == "apple"


@needs_haystack
def test_haystack_sends_no_usage_data() -> None:
    """In a process of its own, in which nobody turned it off before."""
    code = """
from eval import baselines
from pathlib import Path
from types import SimpleNamespace
from botkit import corpus, encoder
found = corpus.load("tests/corpus")
(system,) = baselines.systems(["haystack"], found, encoder.load(), Path("."), print)
from haystack.telemetry import _telemetry
print(_telemetry.telemetry)
"""
    environ = {k: v for k, v in os.environ.items() if k != "HAYSTACK_TELEMETRY_ENABLED"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "None"


def test_minilm_keeps_its_vectors_and_reads_english_only(
    fruit: corpus.Corpus, english: corpus.Corpus, memory: EmbeddingCache, tmp_path: Path
) -> None:
    """What a run embedded is on disk; a corpus in other languages has no such system."""
    system = made("minilm", english, memory, tmp_path)
    first = system.ask(list(QUESTIONS), ["en"] * len(QUESTIONS))
    assert (tmp_path / "vectors.npz").exists()
    assert made("minilm", english, memory, tmp_path).ask(list(QUESTIONS), ["en"] * len(QUESTIONS)) == first

    text: list[str] = []
    assert baselines.systems(["minilm"], fruit, memory, tmp_path, text.append) == []
    assert text == []


def test_a_missing_package_is_named_with_its_cure(
    english: corpus.Corpus, memory: EmbeddingCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are there all the same."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    text: list[str] = []
    result = baselines.systems(["bm25", "haystack", "minilm"], english, memory, tmp_path, text.append)
    assert [system.name for system in result] == ["bm25"]
    assert [line.split(" is left out")[0] for line in text] == ["haystack", "minilm"]
    assert all("pip install -e '.[bench]'" in line for line in text)


def test_names_are_read_and_an_unknown_one_is_refused() -> None:
    """With those that there are."""
    assert baselines.parse("bm25,minilm") == ["bm25", "minilm"]
    assert baselines.parse("none") == []
    with pytest.raises(SystemExit, match=r"no baseline `bm52`\. Choose from bm25, dense"):
        baselines.parse("dense,bm52")


# ---------------------------------------------------------------- the run over all sets


def said_by(name: str, label: Label, *scored: tuple[str, float]) -> evaluation.Evaluation:
    """What a system ranked for one question."""
    return evaluation.judge(name, [label], [list(scored)])


def write_jsonl(file: Path, rows: list[dict[str, object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def intents(tmp_path: Path) -> Path:
    """A folder of public data: a set of three intents, one question to each and one to none."""
    asked = {"apple": ["storing apples", "apples in winter"], "pear": ["ripe pears", "hard pears"], "plum": ["prunes"]}
    questions = [*QUESTIONS.items(), ("what is the capital of Peru", "")]
    write_jsonl(
        tmp_path / "data" / "clinc150" / "faq.jsonl",
        [{"id": name, "lang": "en", "questions": texts, "answer": ""} for name, texts in asked.items()],
    )
    write_jsonl(
        tmp_path / "data" / "clinc150" / "queries.jsonl",
        [
            {"id": str(n), "lang": "en", "text": text, "relevant": [right] if right else [], "split": "dev"}
            for n, (text, right) in enumerate(questions)
        ],
    )
    return tmp_path / "data"


def run_public(*given: object) -> subprocess.CompletedProcess[str]:
    """The script as its readers run it."""
    command = [sys.executable, str(ROOT / "eval" / "public.py"), *map(str, given)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


def test_public_sets_botkit_beside_each_baseline(intents: Path, tmp_path: Path) -> None:
    """In the printed table, in words, in the page and in the JSON; vectors stay for the next run."""
    value = ("--data", intents, "--only", "clinc150", "--phrasings", "1,all", "--baselines", "bm25,dense,fusion")
    files = ("--html", tmp_path / "report.html", "--json", tmp_path / "report.json", "--work", tmp_path / "work")

    done = run_public(*value, *files)

    assert done.returncode == 0, done.stderr
    systems = ["botkit", "bm25", "dense", "rank fusion"]
    lines = [[cell.strip() for cell in line.split("|")[1:3]] for line in done.stdout.splitlines() if line[:1] == "|"]
    assert lines[2:] == [[f"clinc150, {count} phrasings", name] for count in ("1", "all") for name in systems]
    assert "clinc150, all phrasings: right at 1 in 100.0 %; the best baseline, " in done.stdout
    assert "clinc150, all phrasings: out of scope, " in done.stdout
    assert "command: python eval/public.py --data " in done.stdout
    result = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [[s["system"] for s in part["systems"]] for part in result["sets"]] == [systems, systems]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in systems)
    kept = EmbeddingCache(encoder.load(), tmp_path / "work" / "clinc150-all" / "questions")
    assert all(key_of("query", text) in kept._known for text in QUESTIONS)


def test_public_without_questions_of_the_split_says_so(intents: Path, tmp_path: Path) -> None:
    """Nothing is built, and no empty report written."""
    done = run_public("--data", intents, "--only", "clinc150", "--split", "test", "--html", tmp_path / "report.html")
    assert done.returncode != 0
    assert "no test questions in clinc150" in done.stderr
    assert not (tmp_path / "report.html").exists()


def test_public_asks_the_demo_its_own_questions(index_folder: Path, tmp_path: Path) -> None:
    """Those of the split, of every language of the folder."""
    value = ("--index", index_folder, "--only", "hard", "--baselines", "bm25", "--limit", 30)

    done = run_public(*value, "--json", tmp_path / "report.json")

    assert done.returncode == 0, done.stderr
    (part,) = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["sets"]
    assert [s["system"] for s in part["systems"]] == ["botkit", "bm25"]
    assert {q["split"] for q in part["questions"]} == {"dev"}
    assert {q["lang"] for q in part["questions"]} == {"ar", "bg", "en", "fa", "tr"}
    assert "| bm25 |" in done.stdout


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((), "give --data, --index or both"),
        (("--index", "x", "--only", "clinc150"), "`clinc150` needs --data"),
        (("--data", "x", "--only", "hard"), "`hard` needs --index"),
        (("--data", "x", "--only", "clink"), "there is no set `clink`"),
        (("--data", "/no/such/folder"), "/no/such/folder/clinc150 has no faq.jsonl"),
        (("--index", "x", "--phrasings", "few"), "--phrasings is `few` but must be numbers"),
        (("--index", "x", "--baselines", "elastic"), "there is no baseline `elastic`"),
    ],
)
def test_public_names_what_is_wrong_before_it_builds(given: tuple[str, ...], told: str) -> None:
    """And what would be right."""
    done = run_public(*given)
    assert done.returncode != 0
    assert told in done.stderr


def test_a_baseline_answers_from_the_threshold_that_suits_it_best() -> None:
    """Most of all with 90 % right, equal scores together; where no threshold has that, nothing."""
    inside, near = Label("1", "x", relevant=frozenset("a")), Label("2", "x", relevant=frozenset())
    right = [said_by("s", inside, ("a", score)) for score in (0.5, 0.6, 0.7, 0.8)]
    low, high = said_by("s", near, ("a", 0.1)), said_by("s", near, ("a", 0.65))

    def shares(*parts: evaluation.Evaluation) -> tuple[float, float]:
        return public._at_own_threshold(evaluation.joined(parts))

    assert shares(*right, low) == (1.0, 1.0)
    assert shares(*right, low, high) == (0.5, 1.0)
    assert shares(*right * 3, low, high) == (1.0, 0.5)
    assert shares(*right, said_by("s", near, ("a", 0.8))) == (0.0, 1.0)
