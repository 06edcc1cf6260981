"""Markdown to articles: what is read, what is refused with file, line and cure, and HTML that is always safe."""

import re
import tempfile
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from small import FRUIT, article, write

from botkit import build, cli, corpus
from botkit.corpus import Article, CorpusError, Finding
from botkit.index import Index


def findings(folder: Path, file: str, content: str | bytes, **others: str | bytes) -> list[Finding]:
    """What `check` says about one file in an otherwise good corpus."""
    write(folder, {**FRUIT, **others, file: content})
    return corpus.check(folder)[1]


def only_article(body: str, lang: str = "en") -> Article:
    """The article that a body of markdown becomes."""
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), {f"{lang}/a.md": article(body=body)})
        result, _ = corpus.check(folder)
        assert result is not None
        return result.articles[0]


# ---------------------------------------------------------------- what is read


def test_an_article_is_read_whole(tmp_path: Path) -> None:
    """Every key of the front matter and every part of the body arrives, and nothing else."""
    write(
        tmp_path,
        {
            **FRUIT,
            "en/returns/how.md": "---\ntitle: How do I return it?\nquestions:\n  - send it back\n  - send it back\n"
            'tests: ["it does not fit"]\npages: ["/cart"]\ntags: [money]\nrelated: [apple]\naudience: agent\n'
            "action: handoff\nupdated: 2026-01-02\nvalid_from: 2026-01-01\nvalid_until: 2026-12-31\n---\n"
            "Within *30* days.\n\n## How to pack\n\nIn a box.\n\n## Where {#post}\n\n- the post office\n- a shop\n",
        },
    )
    result = corpus.load(tmp_path)
    read = next(a for a in result.articles if a.id == "returns/how")
    assert (read.lang, read.category, read.file) == ("en", "returns", "en/returns/how.md")
    assert read.phrasings == ("How do I return it?", "send it back")
    assert (read.tests, read.pages, read.tags, read.related) == (
        ("it does not fit",),
        ("/cart",),
        ("money",),
        ("apple",),
    )
    assert (read.audience, read.action, read.updated) == ("agent", "handoff", "2026-01-02")
    assert [(p.anchor, p.heading, p.text) for p in read.passages] == [
        ("", "", "Within 30 days."),
        ("how-to-pack", "How to pack", "In a box."),
        ("post", "Where", "• the post office\n• a shop"),
    ]
    assert read.passages[0].html == "<p>Within <em>30</em> days.</p>"
    assert '<h2 id="post">Where</h2>' in read.html
    assert read.url == "/help/en/returns/how"
    assert not read.valid_on(date(2025, 12, 31))
    assert read.valid_on(date(2026, 1, 1))
    assert read.valid_on(date(2026, 12, 31))
    assert not read.valid_on(date(2027, 1, 1))


def test_a_faq_file_holds_an_article_per_heading(tmp_path: Path) -> None:
    """Each is named by its anchor, and its entry adds phrasings, tests and an action."""
    write(
        tmp_path,
        {
            "en/about.md": "---\nkind: faq\ntitle: About\ntags: [us]\nentries:\n  hours:\n"
            "    questions: [opening hours]\n"
            "    tests: [open on Sunday?]\n    action: handoff\n---\n## When are you open? {#hours}\n\nAlways.\n\n"
            "## Where are you?\n\nHere.\n"
        },
    )
    hours, where = corpus.load(tmp_path).articles
    assert (hours.id, where.id) == ("about#hours", "about#where-are-you")
    assert hours.phrasings == ("When are you open?", "opening hours")
    assert (hours.tests, hours.action, where.action) == (("open on Sunday?",), "handoff", "answer")
    assert hours.tags == where.tags == ("us",)
    assert where.text == "Here."


def test_the_same_path_in_two_languages_is_one_article(tmp_path: Path) -> None:
    """Translations share the id, and corpus.toml says which language comes first."""
    write(
        tmp_path,
        {
            "corpus.toml": 'name = "S"\nlanguages = ["tr", "en"]\ndefault_language = "en"\n',
            "en/a.md": article("Hello"),
            "tr/a.md": article("Merhaba"),
        },
    )
    result = corpus.load(tmp_path)
    assert (result.languages, result.default_language, result.name) == (("tr", "en"), "en", "S")
    assert [(a.id, a.lang) for a in result.articles] == [("a", "en"), ("a", "tr")]


def test_without_corpus_toml_the_folders_are_the_languages(tmp_path: Path) -> None:
    """One folder and one file are a corpus."""
    result = corpus.load(write(tmp_path / "tiny", {"bg/a.md": article("Здравей")}))
    assert (result.name, result.languages, result.default_language) == ("tiny", ("bg",), "bg")


def test_the_digest_follows_the_sources_and_nothing_else(tmp_path: Path) -> None:
    """It changes with a byte or a name of a source and not with other files."""
    write(tmp_path, FRUIT)
    before = corpus.digest(tmp_path)
    write(tmp_path, {"en/notes.txt": "x"})
    assert corpus.digest(tmp_path) == before
    write(tmp_path, {"en/apple.md": FRUIT["en/apple.md"] + " "})
    changed = corpus.digest(tmp_path)
    assert changed != before
    (tmp_path / "en/apple.md").rename(tmp_path / "en/apples.md")
    assert corpus.digest(tmp_path) not in (before, changed)


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    """As editors on Windows save them."""
    text = article("Hello", "One.\n\n## Two\n\nThree.").replace("\n", "\r\n")
    write(tmp_path, {"en/a.md": b"\xef\xbb\xbf" + text.encode()})
    assert [p.heading for p in corpus.load(tmp_path).articles[0].passages] == ["", "Two"]


# ---------------------------------------------------------------- what is refused

BOMB = "a: &a [x, x]\n" + "".join(f"k{i}: &k{i} [*{'a' if i == 0 else f'k{i - 1}'}, *a]\n" for i in range(30))
BAD = {
    "no front matter": ("Hello", 1, "no front matter"),
    "an open front matter": ("---\ntitle: x\n", 1, "no end"),
    "no title": ("---\nquestions: [a]\n---\nx", 1, "no title"),
    "an empty title": ("---\ntitle: ''\n---\nx", 2, "title must be a text"),
    "a list as title": ("---\n\ntitle: [x]\n---\nx", 3, "title must be a text"),
    "broken YAML": ("---\ntitle: x\nquestions: [a\n---\nx", 4, "broken YAML"),
    "a colon in a question": ("---\ntitle: x\nquestions:\n  - why: because: so\n---\nx", 4, "Quote a text"),
    "a tab in YAML": ("---\ntitle: x\n\ttags: y\n---\nx", 3, "broken YAML"),
    "an alias bomb": (f"---\ntitle: x\n{BOMB}---\nx", 4, "aliases"),
    "deep YAML": (f"---\ntitle: {'[' * 2000}{']' * 2000}\n---\nx", 2, "nested too deep"),
    "a Python object": ("---\ntitle: !!python/object/apply:os.getcwd []\n---\nx", 2, "broken YAML"),
    "YAML that is a text": ("---\njust words\n---\nx", 2, "lines like"),
    "an unknown key": ("---\ntitle: x\nquestion: [a]\n---\nx", 3, "Did you mean `questions`?"),
    "a key twice": ("---\ntitle: x\ntags: [a]\ntitle: y\n---\nx", 4, "stands twice"),
    "a list that is none": ("---\ntitle: x\nquestions: a\n---\nx", 3, "must be a list"),
    "a list of tables": ("---\ntitle: x\ntests:\n  - a: b\n---\nx", 3, "must be a list of texts"),
    "not UTF-8": (b"---\ntitle: x\n---\nk\n" + b"\xff\xfe", 5, "not UTF-8"),
    "Windows-1251": ("---\ntitle: поръчка\n---\n".encode("cp1251"), 2, "Save the file as UTF-8"),
    "UTF-16": ("---\ntitle: x\n---\n".encode("utf-16"), 1, "not UTF-8"),
    "a NUL": ("---\ntitle: x\n---\na\n\x00", 5, "NUL"),
    "an impossible day": ("---\ntitle: x\nvalid_until: 2026-02-30\n---\nx", None, "2026-02-30|day is out of range"),
    "a day in words": ("---\ntitle: x\nvalid_from: next week\n---\nx", 3, "a day like 2027-01-31"),
    "days the wrong way round": (
        "---\ntitle: x\nvalid_from: 2026-05-01\nvalid_until: 2026-04-01\n---\nx", 4, "never be shown"),
    "an unknown action": ("---\ntitle: x\naction: reply\n---\nx", 3, "answer, handoff"),
    "an unknown audience": ("---\ntitle: x\naudience: staff\n---\nx", 3, "customer, agent"),
    "an unknown kind": ("---\ntitle: x\nkind: list\n---\nx", 3, "unknown kind"),
    "an unknown related article": ("---\ntitle: x\nrelated: [banana]\n---\nx", 2, "`banana` does not exist"),
    "a link out of the folder": ("---\ntitle: x\n---\na\n\n[b](../../secret.md)", 6, "leads out of the folder en/"),
    "a link into another language": ("---\ntitle: x\n---\n[b](../bg/a.md)", 4, "leads out of the folder en/"),
    "a link to nothing": ("---\ntitle: x\n---\n[b](peach.md)", 4, "leads to no file"),
    "deep quotes": ("---\ntitle: x\n---\n\n" + ">" * 5000 + " x", 5, "nested too deep"),
    "deep lists": ("---\ntitle: x\n---\n" + "- " * 5000 + "x", 4, "nested too deep"),
    "deep lists, indented": (
        "---\ntitle: x\n---\n" + "\n".join("  " * i + "- x" for i in range(400)), 23, "nested too deep"),
    "quotes that go on": ("---\ntitle: x\n---\n\n" + "> " * 35 + "x\n" + "x\n" * 20_000, 5, "nested too deep"),
    "quotes in lists": ("---\ntitle: x\n---\nx\n\n" + "- > " * 12 + "x", 6, "nested too deep"),
    "too many lines": ("---\ntitle: x\n---\n" + "x\n" * 30_000, 25_003, "Split it"),
    "too much markup": ("---\ntitle: x\n---\nx\n" + "*a" * 60_000, 5, "Split it"),
    "too much front matter": ("---\ntitle: x\nquestions:\n" + "- abcdefgh\n" * 12_000 + "---\nx", 1, "phrasings"),
    "a title like a book": ("---\ntags: [a]\ntitle: " + "x" * 301 + "\n---\nx", 3, "301 characters"),
    "a phrasing like a book": ("---\ntitle: x\nquestions:\n- " + "why " * 200 + "\n---\nx", 3, "Shorten it"),
    "a test like a book": ("---\ntitle: x\ntests:\n- " + "why " * 1001 + "\n---\nx", 3, "Shorten it"),
    "a thousand phrasings": (
        "---\ntitle: x\nquestions:\n" + "".join(f"- a{i}\n" for i in range(1001)) + "---\nx", 3, "Keep those"),
    "an anchor twice": ("---\ntitle: x\n---\n## a {#k}\n\nx\n\n## b {#k}\n", 8, "stands twice"),
    "a faq without headings": ("---\nkind: faq\n---\nJust text.\n", 3, "without a question"),
    "an empty faq": ("---\nkind: faq\n---\n", 3, "without a question"),
    "an entry without a heading": (
        "---\nkind: faq\nentries:\n  hour: {questions: [a]}\n---\n## When? {#hours}\n\nx\n", 4, "has no heading"),
    "an unknown key of an entry": (
        "---\nkind: faq\nentries:\n  hours:\n    question: [a]\n---\n## When? {#hours}\n\nx\n", 5, "Did you mean"),
    "an entry that is a list": (
        "---\nkind: faq\nentries:\n  hours: [a]\n---\n## When? {#hours}\n\nx\n", 4, "keys like"),
    "entries that are a list": ("---\nkind: faq\nentries: [a]\n---\n## When?\n\nx\n", 3, "must map"),
    "duplicate anchors in a faq": ("---\nkind: faq\n---\n## A {#a}\n\nx\n\n## B {#a}\n\ny\n", 8, "stands twice"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_is_refused_with_file_line_and_cure(case: str, tmp_path: Path) -> None:
    """The error names the file and the line, says what is wrong, and ends with what to do."""
    content, line, text = BAD[case]
    result = findings(tmp_path, "en/bad.md", content)
    errors = [f for f in result if f.level == "error"]
    assert len(errors) == 1, list(map(str, result))
    assert re.search(text, errors[0].message)
    assert errors[0].file == str(tmp_path / "en/bad.md")
    assert errors[0].line == line or line is None
    assert str(errors[0]).startswith(f"{tmp_path / 'en/bad.md'}:{errors[0].line}: ")
    assert errors[0].message.rstrip().endswith((".", "?"))
    with pytest.raises(CorpusError, match=re.escape("en/bad.md")):
        corpus.load(tmp_path)


def test_every_error_is_found_and_not_the_first_alone(tmp_path: Path) -> None:
    """An editor mends a corpus in one round."""
    write(tmp_path, {**FRUIT, **{f"en/bad{i}.md": "no front matter" for i in range(5)}})
    with pytest.raises(CorpusError) as caught:
        corpus.load(tmp_path)
    assert [Path(f.file).name for f in caught.value.findings] == [f"bad{i}.md" for i in range(5)]


def test_two_articles_cannot_have_one_id(tmp_path: Path) -> None:
    """Case does not tell ids apart: on some disks it cannot."""
    result = findings(tmp_path, "en/Apple.md", article("Another apple"))
    (error,) = (f for f in result if f.level == "error")
    assert "two articles have the id" in error.message
    assert "Rename one." in error.message


@pytest.mark.parametrize("name", ["en/a b.md", "en/a#b.md", "en/what?.md", "en/ا ب/c.md"])
def test_a_file_name_that_cannot_be_an_id_is_refused(name: str, tmp_path: Path) -> None:
    """An id stands in addresses."""
    (error,) = findings(tmp_path, name, article())
    assert "cannot be part of an article's id" in error.message


def test_a_missing_and_an_empty_folder_are_told_apart(tmp_path: Path) -> None:
    """Each with its own cure."""
    (missing,) = corpus.check(tmp_path / "nowhere")[1]
    assert "no such folder" in missing.message
    (empty,) = corpus.check(tmp_path)[1]
    assert "Make a folder like en/" in empty.message
    (tmp_path / "en").mkdir()
    (bare,) = corpus.check(tmp_path)[1]
    assert "no article found" in bare.message
    with pytest.raises(CorpusError):
        corpus.load(tmp_path)


def test_an_empty_language_folder_is_a_corpus_without_that_language(tmp_path: Path) -> None:
    """The other languages are read; a folder that is missing is a warning."""
    write(tmp_path, {**FRUIT, "corpus.toml": 'languages = ["en", "tr", "bg"]\n'})
    (tmp_path / "tr").mkdir()
    result, text = corpus.check(tmp_path)
    assert result is not None
    assert len(result.articles) == 3
    assert [(Path(f.file).name, f.level) for f in text] == [("bg", "warning")]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("languages = [", 1, "not valid TOML"),
        ('name = "x"\nname = "y"\n', 2, "not valid TOML"),
        ('language = ["en"]\n', 1, "unknown key `language`"),
        ('languages = "en"\n', 1, "list of language codes"),
        ('languages = ["en", "../x"]\n', 1, "list of language codes"),
        ('languages = ["en"]\ndefault_language = "tr"\n', 1, "Choose one of them"),
        ('categories = ["a"]\n', 1, "tables of titles"),
        ('shop = "x"\n', 1, "table per language"),
        (b'name = "\xff"\n', 1, "not UTF-8"),
    ],
)
def test_corpus_toml_is_checked_as_well(text: str | bytes, line: int, said: str, tmp_path: Path) -> None:
    """With its file, the line and the cure."""
    errors = [f for f in findings(tmp_path, "corpus.toml", text) if f.level == "error"]
    assert len(errors) == 1
    assert (errors[0].file, errors[0].line) == (str(tmp_path / "corpus.toml"), line)
    assert said in errors[0].message


def test_a_link_out_of_the_folder_on_disk_is_not_followed(tmp_path: Path) -> None:
    """Neither a file nor a folder that lies elsewhere becomes an article."""
    outside = write(tmp_path / "outside", {"secret.md": article("A secret"), "deep/more.md": article("More")})
    inside = write(tmp_path / "corpus", FRUIT)
    (inside / "en/secret.md").symlink_to(outside / "secret.md")
    (inside / "en/deep").symlink_to(outside / "deep")
    result, text = corpus.check(inside)
    assert result is not None
    assert {a.id for a in result.articles} == {"apple", "pear", "plum"}
    assert {Path(f.file).name for f in text if "not followed" in f.message} == {"secret.md", "deep"}


def test_a_broken_link_on_disk_and_a_loop_are_no_articles(tmp_path: Path) -> None:
    """And do not stop the reading."""
    write(tmp_path, FRUIT)
    (tmp_path / "en/gone.md").symlink_to(tmp_path / "en/nothing.md")
    (tmp_path / "en/loop").symlink_to(tmp_path / "en")
    result, _ = corpus.check(tmp_path)
    assert result is not None
    assert {"apple", "pear", "plum"} <= {a.id for a in result.articles}


def test_a_file_of_twenty_megabytes_is_refused_unread(tmp_path: Path) -> None:
    """With its size and the limit."""
    (error,) = findings(tmp_path, "en/big.md", b"---\ntitle: x\n---\n" + b"word " * 4_000_000)
    assert "20.0 MB" in error.message
    assert "Split it" in error.message


@pytest.mark.parametrize(
    "body",
    [
        "## a\n" * 20_000,
        "|a|b|\n|-|-|\n" + "|x|y|\n" * 10_000,
        "|a" * 1000 + "|\n" + "|-" * 1000 + "|\n" + ("|x" * 1000 + "|\n") * 20,
        "[" * 20_000,
        "*a_" * 20_000,
        "[a](" * 10_000,
        "## a" + " " * 200_000 + "{#b",
        "```\n" * 20_001,
    ],
    ids=["headings", "long table", "wide table", "brackets", "stars", "links", "blanks", "fences"],
)
def test_a_monstrous_body_is_read_to_its_end(body: str) -> None:
    """No shape of markdown takes forever or breaks the reader."""
    assert only_article(body).id == "a"


def test_headings_of_one_text_get_anchors_of_their_own() -> None:
    """Numbered in their order, also where a heading has such a name already."""
    result = only_article("## Size\n\na\n\n## Size 2\n\nb\n\n## Size\n\nc\n\n## Size\n\nd\n")
    anchors = [p.anchor for p in result.passages]
    assert anchors[:2] == ["size", "size-2"]
    assert len(set(anchors)) == 4


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"en/bad.md": article(body="")}, "the article has no text"),
        ({"en/bad.md": article(body="a <b>bold</b> word")}, "raw HTML is shown as text"),
        ({"en/bad.md": article(questions="[storing apples]")}, "is also a phrasing of `apple`"),
        ({"en/bad.md": article("A thing", tests="[a thing]")}, "equals a phrasing"),
        (
            {"corpus.toml": '[categories.fruit]\nen = "Fruit"\n'},
            "category `general` has no title|category `en` has",
        ),
        ({"en/bad.md": "---\nkind: faq\n---\nFirst.\n\n## A\n\nx\n"}, "above the first"),
        ({"en/bad.md": "---\nkind: faq\n---\n## A\n\n## B\n\nx\n"}, "no answer below it"),
        ({"corpus.toml": 'languages = ["en"]\n', "tr/a.md": article()}, "is not among `languages`"),
    ],
)
def test_what_looks_wrong_is_a_warning(files: dict[str, str], said: str, tmp_path: Path) -> None:
    """The corpus is read all the same."""
    write(tmp_path, {**FRUIT, **files})
    result = corpus.check(tmp_path)[1]
    assert {f.level for f in result} == {"warning"}
    assert any(re.search(said, f.message) for f in result), list(map(str, result))
    assert all("warning: " in str(f) for f in result)
    corpus.load(tmp_path)


def test_a_good_corpus_has_nothing_to_say(corpus_folder: Path) -> None:
    """The tests' own corpus, in three languages."""
    result, text = corpus.check(corpus_folder)
    assert text == []
    assert result is not None
    assert {a.lang for a in result.articles} == {"en", "ar", "fa"}


# ---------------------------------------------------------------- links and safe HTML


def test_a_link_to_another_article_leads_to_its_page(tmp_path: Path) -> None:
    """Relative as on disk, with `..`, an anchor or a percent sign; other addresses stay."""
    write(
        tmp_path,
        {
            "en/returns/how.md": article(
                body="[a](label.md) [b](../orders/track.md#late) [c](./deep/more.md) [d](https://x.example/a.md) "
                "[e](/cart) [f](mailto:a@x.example) [g](tel:+44207) [h](#here) [i](../orders/%74rack.md)"
            ),
            "en/returns/label.md": article("L"),
            "en/returns/deep/more.md": article("M"),
            "en/orders/track.md": article("T"),
        },
    )
    result = next(a for a in corpus.load(tmp_path).articles if a.id == "returns/how")
    assert re.findall('href="([^"]*)"', result.html) == [
        "/help/en/returns/label",
        "/help/en/orders/track#late",
        "/help/en/returns/deep/more",
        "https://x.example/a.md",
        "/cart",
        "mailto:a@x.example",
        "tel:+44207",
        "#here",
        "/help/en/orders/track",
    ]


class _Tags(HTMLParser):
    """The tags and attributes that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


TAGS = set("p br ul ol li strong em s a code pre blockquote h2 h3 h4 h5 h6 hr table thead tbody tr th td".split())


def assert_safe(html: str) -> None:
    """No tag, attribute or address besides those a text needs."""
    tags = _Tags()
    tags.feed(html)
    tags.close()
    for tag, attributes in tags.seen:
        assert tag in TAGS, html
        assert set(attributes) <= {"href", "title", "rel", "start", "id"}, html
        address = (attributes.get("href") or "").strip().lower()
        assert re.match(r"(https?:|mailto:|tel:|[/#?.]|[^:]*$)", address), html
        assert not address.startswith(("javascript", "data", "vbscript")), html


XSS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    '<a href="javascript:alert(1)">x</a>',
    "<p style=position:fixed onclick=alert(1)>x</p>",
    "<style>*{display:none}</style>",
    "<base href=//evil.example>",
    "<!--><script>alert(1)</script>-->",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](  javascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](//evil.example/x)",
    '[x](https://a.example "onmouseover=alert(1) x=")',
    '[x](https://a.example "\\"><script>alert(1)</script>")',
    "[x][y]\n\n[y]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    '![x"onerror="alert(1)](x.png)',
    "![<script>alert(1)</script>](x.png)",
    "`<script>alert(1)</script>`",
    "```<script>\nalert(1)\n```",
    "```x\" onmouseover=alert(1) a=\"\nalert(1)\n```",
    "    <script>alert(1)</script>",
    "|<script>alert(1)</script>|\n|-|\n|<img src=x onerror=alert(1)>|",
    "## <img src=x onerror=alert(1)> {#a}",
    "## x {#\"onmouseover=alert(1)}",
    "## \"><script>alert(1)</script>",
    "# <svg onload=alert(1)>",
    "**<b onclick=alert(1)>**",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\\<script>alert(1)\\</script>",
]  # fmt: skip


@pytest.mark.parametrize("body", XSS)
def test_no_attack_survives_into_the_html(body: str) -> None:
    """Raw HTML is shown as text and a link leads to a page, a mail or a telephone."""
    result = only_article(f"Before.\n\n{body}\n\nAfter.")
    assert_safe(result.html)
    assert "Before." in result.html


PIECES = (
    "<script> </script> <img_src=x_onerror=alert(1)> ](javascript:alert(1)) [x]( ) ![ <a_href=' ` ## > - | {#a} ** "
    "<!-- --> &#x6a; \" ' \\ <svg/onload= javascript: data: //x https:// \u202e"
)
SHREDS = ["```\n", "\n\n", "\n|-|\n", "\x00", *(piece.replace("_", " ") for piece in PIECES.split(" "))]


@given(st.lists(st.one_of(st.sampled_from(SHREDS), st.text(max_size=5)), max_size=20).map("".join))
def test_no_markdown_makes_unsafe_html(body: str) -> None:
    """Whatever an editor, or somebody in an editor's place, writes."""
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), {"en/a.md": article(body=body).encode("utf-8", "replace")})
        result, _ = corpus.check(folder)
        assert result is not None
        for each in result.articles:
            assert_safe(each.html)


@given(st.text(max_size=60))
def test_any_title_is_read_or_refused(title: str) -> None:
    """A quoted text is a title; nothing but a CorpusError comes of a bad one."""
    quoted = '"' + title.replace("\\", "\\\\").replace('"', '\\"') + '"'
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), {"en/a.md": article(quoted).encode("utf-8", "replace")})
        result, text = corpus.check(folder)
        assert result is not None
        titles = [each.title for each in result.articles]
        assert all(read == " ".join(read.split()) != "" for read in titles)
        assert titles or any(f.level == "error" and f.line <= 4 for f in text)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """No file stops the reading of a folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), {**FRUIT, "en/zzz.md": content})
        result, text = corpus.check(folder)
        assert result is not None
        assert len(result.articles) >= 3
        assert text


# ---------------------------------------------------------------- through the command line


def test_a_bad_corpus_is_not_indexed_and_the_old_index_answers(tmp_path: Path) -> None:
    """`botkit check` and `botkit index` end with 1 and print file:line: message; nothing is published."""
    folder = write(tmp_path / "corpus", FRUIT)
    version = build.publish(folder, tmp_path / "index").version
    write(folder, {"en/plum.md": "---\ntitle: x\ntitel: y\n---\nx"})
    for command in (["check", str(folder)], ["index", str(folder), "--out", str(tmp_path / "index")]):
        result = CliRunner().invoke(cli.main, command)
        assert result.exit_code == 1
        assert f"{folder}/en/plum.md:3: unknown key `titel`. Did you mean `title`?" in result.output
    opened = Index.open(tmp_path / "index")
    assert opened.version == version
    assert opened.search("my pears are hard").hits[0].article == "pear"
