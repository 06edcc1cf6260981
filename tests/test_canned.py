"""Canned replies: read from their files, refused with file, line and cure, carried by the index, never found by
customers."""

import json
from pathlib import Path

import pytest
from small import FRUIT, article, write

from botkit import answer, build, corpus, index
from botkit.files import checksum
from botkit.index import Index, IndexProblem


def canned(text: str = "Thank you.", shortcut: str | None = "/thanks", title: str = "Thanks", **keys: str) -> str:
    """The text of a canned reply's file."""
    head = {"title": title, **({"shortcut": shortcut} if shortcut else {}), **keys}
    return "---\n" + "".join(f"{key}: {value}\n" for key, value in head.items()) + f"---\n{text}\n"


def read(folder: Path, **files: str) -> tuple[corpus.Corpus, list[corpus.Finding]]:
    """Canned replies beside three articles; `en_thanks` is replies/en/thanks.md."""
    named = {f"replies/{name.replace('_', '/', 1)}.md": text for name, text in files.items()}
    result, texts = corpus.check(write(folder, {**FRUIT, **named}))
    assert result is not None
    return result, texts


# ---------------------------------------------------------------- reading


def test_a_reply_is_read_whole(tmp_path: Path) -> None:
    """Title, shortcut, tags and text; lines of a paragraph are joined, items of a list are not."""
    text = "Thank you for\nwaiting, {customer}.\n\nWe need:\n- the number\n- a photo of\n  the box\n"
    result, texts = read(tmp_path, en_thanks=canned(text, tags="[greeting, wait]"))
    assert texts == []
    assert result.replies == (
        corpus.CannedReply(
            id="thanks",
            lang="en",
            title="Thanks",
            shortcut="/thanks",
            text="Thank you for waiting, {customer}.\n\nWe need:\n- the number\n- a photo of the box",
            tags=("greeting", "wait"),
            file="replies/en/thanks.md",
        ),
    )


def test_a_reply_is_no_article(tmp_path: Path) -> None:
    """The folder of replies is not a language, and nothing in it is counted among the articles."""
    result, _ = read(tmp_path, en_thanks=canned("Bramley and Cox."))
    assert {a.id for a in result.articles} == {"apple", "pear", "plum"}
    assert result.languages == ("en",)


def test_known_variables_are_filled_and_unknown_ones_stay() -> None:
    """What nobody knows must be seen, not silently left out."""
    reply = corpus.CannedReply("a", "en", "A", "/a", "{agent} has {order}. {customer}?")
    assert reply.filled({"agent": "Sara", "order": "{agent}", "customer": ""}) == "Sara has {agent}. {customer}?"


BAD = {
    "an unknown variable": (canned("Hello,\n{oder}"), 6, "Did you mean `{order}`?"),
    "a variable like no other": (canned("{invoice_total}"), 5, "Known: {customer}, {agent}"),
    "a variable of other case": (canned("{Order}"), 5, "Did you mean `{order}`?"),
    "blanks in braces": (canned("one\n\n{ order }"), 7, "invalid variable"),
    "an open brace": (canned("one {order"), 5, "invalid variable"),
    "a closing brace": (canned("one }"), 5, "invalid variable"),
    "no front matter": ("Thank you.", 1, "no front matter"),
    "no title": ("---\nshortcut: /a\n---\nx", 1, "the reply has no title"),
    "no shortcut": (canned(shortcut=None), 1, "has no shortcut"),
    "a shortcut without a slash": (canned(shortcut="thanks"), 3, "like `/thanks`"),
    "a shortcut with blanks": (canned(shortcut="/thank you"), 3, "like `/thanks`"),
    "a shortcut that is a path": (canned(shortcut="/a/b"), 3, "like `/thanks`"),
    "a long shortcut": (canned(shortcut="/" + "a" * 25), 3, "1 to 24"),
    "a shortcut that is a number": (canned(shortcut="7"), 3, "like `/thanks`"),
    "an unknown key": (canned(tag="[a]"), 4, "Did you mean `tags`?"),
    "tags that are no list": (canned(tags="a"), 4, "must be a list"),
    "no text": (canned(" \n\u200b\n"), 4, "has no text"),
    "a long text": (canned("a " * 1800), 4, "3500 is the limit"),
    "bold": (canned("one\n\n**two**"), 7, "without markup"),
    "a link": (canned("[here](https://shop.example)"), 5, "without markup"),
    "a heading": (canned("## Hello"), 5, "without markup"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_said_is_refused_with_file_line_and_cure(case: str, tmp_path: Path) -> None:
    """One finding each, and an error: nothing is built from such a corpus."""
    content, line, result = BAD[case]
    _, text = read(tmp_path, en_bad=content)
    assert len(text) == 1, list(map(str, text))
    assert (text[0].file, text[0].line, text[0].level) == (str(tmp_path / "replies/en/bad.md"), line, "error")
    assert result in text[0].message
    with pytest.raises(corpus.CorpusError, match=r"bad\.md"):
        corpus.load(tmp_path)


def test_two_replies_of_a_language_cannot_have_one_shortcut(tmp_path: Path) -> None:
    """In two languages they may."""
    toml = {"corpus.toml": 'languages = ["en", "tr"]\n', "tr/apple.md": article("Elma?")}
    write(tmp_path, toml)
    files = {"en_a": canned(), "en_b": canned(shortcut="/Thanks"), "tr_a": canned(), "tr_b": canned(shortcut="/b")}
    _, text = read(tmp_path, **files)
    assert [(Path(f.file).name, f.line, f.level) for f in text] == [("b.md", 3, "error")]
    assert "also that of replies/en/a.md" in text[0].message


def test_the_same_path_in_another_language_is_the_translation(tmp_path: Path) -> None:
    """One that is missing is a warning that names the file to write."""
    write(tmp_path, {"corpus.toml": 'languages = ["en", "tr", "fa"]\n', "tr/a.md": article("A?"), "fa/a.md": article()})
    result, text = read(tmp_path, en_thanks=canned(), tr_thanks=canned("Teşekkürler."))
    assert [(r.id, r.lang) for r in result.replies] == [("thanks", "en"), ("thanks", "tr")]
    assert [str(f) for f in text if "replies" in f.file] == [
        f"{tmp_path}/replies/en/thanks.md:1: warning: no translation into fa. Write replies/fa/thanks.md."
    ]


def test_a_folder_of_another_language_is_named(tmp_path: Path) -> None:
    """It would be left out in silence."""
    result, text = read(tmp_path, xx_thanks=canned())
    assert result.replies == ()
    assert [(Path(f.file).name, f.level) for f in text] == [("xx", "warning")]


# ---------------------------------------------------------------- in the index


def built(folder: Path, **files: str) -> Index:
    read(folder / "corpus", **files)
    build.publish(folder / "corpus", folder / "index", allow_failing_tests=True)
    return Index.open(folder / "index")


def test_replies_travel_in_the_version(tmp_path: Path) -> None:
    """In a file of their own with its checksum; equal sources give equal bytes, and a change another version."""
    first = built(tmp_path, en_thanks=canned("Thank you, {customer}."), en_bye=canned("Goodbye.", "/bye"))
    assert [(r.id, r.text) for r in first.replies("en")] == [("bye", "Goodbye."), ("thanks", "Thank you, {customer}.")]
    assert first.replies("tr") == []
    assert "replies.jsonl" in first.manifest["files"]
    again = built(tmp_path / "again", en_bye=canned("Goodbye.", "/bye"), en_thanks=canned("Thank you, {customer}."))
    assert again.version == first.version
    assert built(tmp_path, en_bye=canned("Goodbye!", "/bye")).version != first.version


def test_customers_never_find_a_reply(tmp_path: Path) -> None:
    """Its very words lead to articles alone."""
    result = built(tmp_path, en_thanks=canned("The marmalade is with the courier."))
    hits = result.search("The marmalade is with the courier.").hits
    assert {hit.article for hit in hits} <= {"apple", "pear", "plum"}
    assert "marmalade" not in answer.reply(result, "The marmalade is with the courier.").text


def test_a_version_built_before_there_were_replies_opens(tmp_path: Path) -> None:
    """It has none; a file that its manifest does not name is not read."""
    new = built(tmp_path, en_thanks=canned())
    manifest = dict(new.manifest, files={k: v for k, v in new.manifest["files"].items() if k != "replies.jsonl"})
    old = tmp_path / "old"
    old.mkdir()
    for name in [*manifest["files"], "replies.jsonl"]:
        (old / name).write_bytes((new.folder / name).read_bytes())
    (old / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1) + "\n")
    version = old.rename(tmp_path / checksum(old / "manifest.json")[:12])
    assert Index.open(version).replies("en") == []
    (version / "replies.jsonl").unlink()
    assert Index.open(version).search("apples").hits == new.search("apples").hits


def test_a_damaged_file_of_replies_is_refused(tmp_path: Path) -> None:
    """Like any other file of a version."""
    new = built(tmp_path, en_thanks=canned())
    (new.folder / "replies.jsonl").write_text("{}\n")
    with pytest.raises(IndexProblem, match=r"replies\.jsonl: damaged"):
        Index.open(tmp_path / "index")


def test_a_draft_has_its_replies_before_it_is_sealed(tmp_path: Path) -> None:
    """What a build opened is what it publishes."""
    result, _ = read(tmp_path / "corpus", en_thanks=canned())
    draft = index.build(result, tmp_path / "index")
    sealed = index.seal(draft, {})
    assert draft.replies("en") == sealed.replies("en") == list(result.replies)


# ---------------------------------------------------------------- the demo shop's


def test_the_demo_shop_s_replies_are_in_every_language() -> None:
    """Twelve of them, each with the same variables in each translation."""
    result = corpus.load(Path(__file__).parent.parent / "corpora/lalezar")
    by_id: dict[str, dict[str, set[str]]] = {}
    for reply in result.replies:
        by_id.setdefault(reply.id, {})[reply.lang] = set(corpus.VARIABLE.findall(reply.text))
    assert len(by_id) == 12
    for reply_id, translations in by_id.items():
        assert set(translations) == set(result.languages), reply_id
        assert len({frozenset(names) for names in translations.values()}) == 1, (reply_id, translations)


# ---------------------------------------------------------------- drafts of articles


@pytest.mark.parametrize(
    "words", ['He said: "no"', "- a list?", "#1 is gone", "{order}", "a\\b", "' \" :", "سفارش: کجاست؟", "---", "null"]
)
def test_a_draft_reads_back_as_it_was_meant(words: str, tmp_path: Path) -> None:
    """Whatever a customer wrote, it is a text in the front matter."""
    write(tmp_path, {"en/new.md": corpus.draft(words, [f"{words} again"], "An answer.")})
    result, text = corpus.check(tmp_path)
    assert result is not None
    assert text == []
    assert [(a.title, a.questions, a.text) for a in result.articles] == [(words, (f"{words} again",), "An answer.")]
