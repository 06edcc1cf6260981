"""Judged questions: what is read and written, and that every bad line is named with its file, its number and a cure."""

import io
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import write

from botkit import corpus, language
from botkit.corpus import CorpusError, Dialogue, Label, Turn

GOOD = {"id": "a", "text": "where is it", "relevant": ["orders/track-order"]}


def lines(*rows: object) -> str:
    return "".join((row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows)


def findings(folder: Path, *rows: object) -> list[str]:
    """What is said of a file of these lines, without the file's name."""
    file = write(folder, {"q.jsonl": lines(*rows)}) / "q.jsonl"
    with pytest.raises(CorpusError) as caught:
        corpus.labels(file)
    assert all(str(f).startswith(f"{file}:{f.line}: ") for f in caught.value.findings)
    return [f"{f.line}: {f.message}" for f in caught.value.findings]


def test_every_field_is_read_and_has_its_default(tmp_path: Path) -> None:
    """A byte order mark, blank lines and Windows line ends are no part of a question."""
    full = {
        "id": "b", "lang": "fa", "text": "سفارشم کجاست؟", "relevant": [], "split": "test", "qtype": "near",
        "slice": "typo", "source": "agent",
    }  # fmt: skip
    rejected = {"id": "c", "text": "x\u2028y", "rejected": ["p", "q"], "lang": None}
    text = "\ufeff" + lines(GOOD, "", full, rejected).replace("\n", "\r\n")
    result = corpus.labels(write(tmp_path, {"q.jsonl": text}) / "q.jsonl")
    assert result == [
        Label("a", "where is it", relevant=frozenset({"orders/track-order"})),
        Label("b", "سفارشم کجاست؟", "fa", frozenset(), split="test", qtype="near", slice="typo", source="agent"),
        Label("c", "x\u2028y", None, None, frozenset({"p", "q"})),
    ]
    assert [label.scope for label in result] == ["in", "near", "rejected"]
    assert Label("d", "x").scope == "far"


def test_folders_are_read_to_their_depth_and_no_file_twice(tmp_path: Path) -> None:
    """In the order of names; an id may stand once in each file."""
    folder = write(tmp_path, {"b.jsonl": lines(GOOD), "a/z.jsonl": lines(GOOD | {"text": "z"}), "a/note.txt": "x"})
    assert [q.text for q in corpus.labels(folder, folder / "b.jsonl")] == ["z", "where is it"]
    assert [q.text for q in corpus.labels(folder / "b.jsonl", folder)] == ["where is it", "z"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "1: not JSON: "),
        ("[]", '1: not a question. Write {"id": ..., "text": ..., "relevant": [...]}.'),
        ("[" * 100_000, "1: not JSON: "),
        ({"text": "x", "relevant": []}, '1: `id` is missing. Write "id": "...".'),
        (GOOD | {"id": 7}, '1: `id` must be a text with something in it. Write "id": "...".'),
        ({"id": "a", "relevant": []}, '1: `text` is missing. Write "text": "...".'),
        (GOOD | {"text": " \u200b"}, '1: `text` must be a text with something in it. Write "text": "...".'),
        (GOOD | {"relevent": []}, "1: unknown field `relevent`. Did you mean `relevant`?"),
        (GOOD | {"weight": 1}, "1: unknown field `weight`. Known fields: id, text, lang, "),
        (GOOD | {"relevant": "x"}, "1: `relevant` must be a list of article ids, "),
        (GOOD | {"relevant": [""]}, "1: `relevant` must be a list of article ids, "),
        (GOOD | {"rejected": ["x"]}, "1: both `relevant` and `rejected`. Give `relevant` (a list of article ids, "),
        ({"id": "a", "text": "x"}, "1: neither `relevant` nor `rejected`. Give `relevant` (a list of article ids, "),
        ({"id": "a", "text": "x", "rejected": []}, "1: `rejected` is empty. Name at least one article, "),
        (GOOD | {"split": "train"}, "1: `split` is `train` but must be one of: dev, test."),
        (GOOD | {"source": ["agent"]}, "1: `source` is `['agent']` but must be one of: golden, "),
        (GOOD | {"lang": "English"}, "1: `lang` is `English` but must be a language code like `en`. "),
        (GOOD | {"qtype": "near"}, "1: `qtype` is `near` but `relevant` names articles. "),
        (GOOD | {"relevant": [], "qtype": "in"}, "1: `qtype` is `in` but `relevant` is empty. "),
        ({"id": "d", "turns": [{"text": "x", "relevant": []}]}, "1: `turns` must be a list of two turns or more, "),
        (
            {"id": "d", "turns": [{"text": "x", "relevant": []}, {"text": "y", "relevant": []}]},
            "1: turn 2 has no `kind`. Write one of: followup, standalone, choice.",
        ),
        (
            {"id": "d", "turns": [{"text": "x", "relevant": []}, {"text": "y", "kind": "choice"}]},
            "1: turn 2 needs either `relevant` or `pick`. Give one of them.",
        ),
        (
            {"id": "d", "turns": [{"text": "x", "relevant": []}, {"text": "y", "kind": "choice", "pick": 0}]},
            "1: `pick` is `0` but must be one of: 1, 2, 3, -1.",
        ),
        (
            {"id": "d", "turns": [{"text": "x", "relevant": [], "kind": "followup"}, {"text": "y", "relevant": []}]},
            "1: the first turn stands alone: ",
        ),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_with_its_cure(row: object, said: str, tmp_path: Path) -> None:
    """One finding for one bad line, whatever is wrong with it."""
    [result] = findings(tmp_path, row)
    assert result.startswith(said)


def test_all_bad_lines_are_told_at_once(tmp_path: Path) -> None:
    """Also bytes that are no UTF-8, and an id that was there already."""
    assert [result.split(". ")[0] for result in findings(tmp_path, GOOD, "{", GOOD | {"lang": 3}, GOOD)][1:] == [
        "3: `lang` is `3` but must be a language code like `en`",
        "4: the id `a` stands in line 1 too",
    ]
    file = write(tmp_path, {"bytes.jsonl": lines(GOOD).encode() + b'{"id": "\xff"}\n'}) / "bytes.jsonl"
    with pytest.raises(CorpusError, match=r"bytes.jsonl:2: not UTF-8. Save the file as UTF-8."):
        corpus.labels(file)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """A file that does not exist, a folder without any."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError) as caught:
        corpus.labels(tmp_path / "none.jsonl", tmp_path / "empty")
    assert [f.message.split(".")[0] for f in caught.value.findings] == ["no such file", "no file *"]


def test_dialogues_stand_beside_questions(tmp_path: Path) -> None:
    """Each reader leaves the other's lines out, and both check all of them."""
    turns = [
        {"text": "do you deliver abroad", "relevant": ["delivery/abroad", "delivery/cost"]},
        {"text": "and to Germany?", "relevant": ["delivery/abroad"], "kind": "followup"},
        {"text": "the last one", "kind": "choice", "pick": -1},
    ]
    file = (
        write(tmp_path, {"q.jsonl": lines(GOOD, {"id": "d", "lang": "en", "split": "dev", "turns": turns})}) / "q.jsonl"
    )
    assert [q.id for q in corpus.labels(file)] == ["a"]
    assert corpus.dialogues(file) == [
        Dialogue(
            "d",
            "en",
            (
                Turn("do you deliver abroad", frozenset({"delivery/abroad", "delivery/cost"})),
                Turn("and to Germany?", frozenset({"delivery/abroad"}), "followup"),
                Turn("the last one", None, "choice", -1),
            ),
            "dev",
        )
    ]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["id", "text", "relevant", "turns", "lang", "split", "kind"]), inner)
        ),
    )
)
def test_no_json_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, row: object) -> None:
    """A line is a question, a dialogue or a finding, never another error."""
    file = write(tmp_path_factory.getbasetemp(), {"any.jsonl": json.dumps(row)}) / "any.jsonl"
    result: list[object] = []
    try:
        result += [*corpus.labels(file), *corpus.dialogues(file)]
    except CorpusError as error:
        result += [f for f in error.findings if f.line == 1]
    assert len(result) == 1


# ---------------------------------------------------------------- writing

words = st.text(min_size=1, max_size=12).filter(lambda text: language.clean(text).strip())
ids = st.frozensets(st.text(min_size=1, max_size=5), max_size=3)


@st.composite
def judged(draw: st.DrawFn) -> Label:
    """Any label that says something."""
    relevant = draw(st.none() | ids)
    return Label(
        id=draw(words),
        text=draw(words),
        lang=draw(st.sampled_from([None, "en", "fa", "pt-BR"])),
        relevant=relevant,
        rejected=draw(ids.filter(bool)) if relevant is None else frozenset(),
        split=draw(st.sampled_from([None, "dev", "test"])),
        qtype=None if relevant else draw(st.sampled_from([None, "near", "far"])),
        slice=draw(st.sampled_from(["plain", "typo"])),
        source=draw(st.sampled_from(["golden", "editor", "agent", "customer"])),
    )


@given(st.lists(judged(), max_size=5, unique_by=lambda label: label.id))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, written: list[Label]) -> None:
    """Every field, whatever the texts hold; line by line as in one go; the same bytes on a stream."""
    folder = tmp_path_factory.mktemp("written")
    corpus.write_labels(folder / "all.jsonl", written)
    assert corpus.labels(folder / "all.jsonl") == written
    for label in written:
        corpus.add_label(folder / "each.jsonl", label)
    if written:
        assert (folder / "each.jsonl").read_bytes() == (folder / "all.jsonl").read_bytes()
    stream = io.StringIO()
    corpus.write_labels(stream, written)
    assert stream.getvalue().encode() == (folder / "all.jsonl").read_bytes()


def test_a_line_says_no_more_than_the_label(tmp_path: Path) -> None:
    """For people who read the file: no empty fields, letters as they are."""
    file = tmp_path / "q.jsonl"
    corpus.write_labels(
        file,
        [
            Label("a", "سفارشم کجاست؟", "fa", frozenset({"b", "a"}), source="agent"),
            Label("b", "x", relevant=None, rejected=frozenset({"a"}), source="customer"),
        ],
    )
    assert file.read_text(encoding="utf-8").splitlines() == [
        '{"id": "a", "text": "سفارشم کجاست؟", "lang": "fa", "relevant": ["a", "b"], "source": "agent"}',
        '{"id": "b", "text": "x", "rejected": ["a"], "source": "customer"}',
    ]


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_what_is_written_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Also where a file that all could read was there before; one that is only added to stays as its owner set it."""
    label = Label("a", "my name is Ayşe", relevant=frozenset({"b"}))
    for name in ("new", "old"):
        file = tmp_path / name
        if name == "old":
            file.write_text("x")
            file.chmod(0o644)
        corpus.write_labels(file, [label])
        assert mode(file) == 0o600
    corpus.add_label(tmp_path / "added", label)
    assert mode(tmp_path / "added") == 0o600
    (tmp_path / "added").chmod(0o640)
    corpus.add_label(tmp_path / "added", Label("b", "y"))
    assert mode(tmp_path / "added") == 0o640
    assert sorted(os.listdir(tmp_path)) == ["added", "new", "old"]


def test_a_label_that_says_nothing_is_not_written_and_the_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    corpus.write_labels(file, [Label("a", "x")])
    before = file.read_bytes()
    unknown = Label("b", "y", relevant=None)
    with pytest.raises(ValueError, match="the label `b` says nothing"):
        corpus.write_labels(file, [unknown])
    with pytest.raises(ValueError, match="the label `b` says nothing"):
        corpus.add_label(file, unknown)
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["q.jsonl"]


def test_a_label_is_added_or_takes_the_place_of_its_id(tmp_path: Path) -> None:
    """Other lines stay as somebody wrote them; a last line without its end gets one."""
    other = '{"relevant": [],   "text": "of somebody", "id": "z"}'
    file = write(tmp_path, {"q.jsonl": f"\ufeff{other}\r\n\n" + json.dumps(GOOD)}) / "q.jsonl"
    corpus.add_label(file, Label("n", "new", relevant=frozenset({"b"})))
    corpus.add_label(file, Label("a", "where is it", source="editor"))
    lines = file.read_bytes().decode("utf-8").split("\n")
    assert lines == [
        f"\ufeff{other}\r",
        "",
        '{"id": "a", "text": "where is it", "relevant": [], "source": "editor"}',
        '{"id": "n", "text": "new", "relevant": ["b"], "source": "golden"}',
        "",
    ]
    assert [label.id for label in corpus.labels(file)] == ["z", "a", "n"]


def test_nothing_is_added_to_a_file_that_has_a_bad_line(tmp_path: Path) -> None:
    file = write(tmp_path, {"q.jsonl": "{\n"}) / "q.jsonl"
    with pytest.raises(CorpusError, match=r"q.jsonl:1: not JSON"):
        corpus.add_label(file, Label("a", "x"))
    assert file.read_text() == "{\n"


def test_questions_need_no_verdict_and_say_nothing(tmp_path: Path) -> None:
    """Those that have one can be read too; bad lines are named."""
    file = write(tmp_path, {"q.jsonl": lines({"id": "b", "text": "y", "lang": "fa", "more": 1}, GOOD)}) / "q.jsonl"
    assert corpus.questions(file) == [
        Label("b", "y", "fa", relevant=None),
        Label("a", "where is it", relevant=None),
    ]
    bad = write(tmp_path, {"bad.jsonl": lines({"text": "y"}, {"id": "b"}, {"id": "b", "text": "y", "lang": 1})})
    with pytest.raises(CorpusError) as caught:
        corpus.questions(bad / "bad.jsonl")
    assert [(f.line, f.message.split(" ")[0]) for f in caught.value.findings] == [
        (1, "`id`"),
        (2, "`text`"),
        (3, "`lang`"),
    ]


def test_the_projects_own_questions_can_be_read() -> None:
    """Golden and hard, every line."""
    folder = Path(__file__).parent.parent / "eval"
    result = corpus.labels(folder / "golden", folder / "hard")
    assert len(result) >= 1320
    assert {label.scope for label in result} == {"in", "near", "far"}
