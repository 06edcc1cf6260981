"""The package's language files: the same keys in each, every value of its kind, and nothing that does no work."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from botkit import language
from botkit.language import schema
from botkit.language.normalise import folded_rule
from botkit.language.tables import DATA, LANGUAGES, SHIPPED, LanguageError, checked, checked_file, shipped

SHOPS = Path(__file__).parent.parent / "corpora"


def keys(raw: dict[str, Any], section: type = schema.Table, path: str = "") -> list[str]:
    """Every key of a table, in order, those of sections with theirs; free keys (of words, of letters) are left out."""
    kinds = schema.kinds(section)
    result = []
    for key, value in raw.items():
        kind = kinds[key]
        result += [f"{path}{key}"] if isinstance(kind, schema.Kind) else keys(value, kind, f"{path}{key}.")
    return result


def every_key(section: type = schema.Table, path: str = "") -> list[str]:
    result = []
    for key, kind in schema.kinds(section).items():
        result += [f"{path}{key}"] if isinstance(kind, schema.Kind) else every_key(kind, f"{path}{key}.")
    return result


def test_each_language_has_one_file() -> None:
    assert {file.stem for file in DATA.glob("*.toml")} == {*LANGUAGES, "others"}


def test_a_file_has_every_key_in_the_order_of_the_schema(lang: str) -> None:
    """Even where a language has nothing to say there: whoever edits one sees what there is."""
    raw, problems = checked_file(DATA / f"{lang}.toml")
    assert problems == []
    assert sorted(keys(raw)) == sorted(every_key())
    assert language.lacking(lang) == {}


def test_the_comments_are_the_same_in_each_file(lang: str) -> None:
    """They say what a key does, which does not depend on the language."""

    def comments(code: str) -> list[str]:
        lines = (DATA / f"{code}.toml").read_text(encoding="utf-8").splitlines()
        return [re.sub("English|Arabic|Turkish|Persian|Bulgarian", "X", line) for line in lines if line.startswith("#")]

    assert comments(lang) == comments("en")


def test_every_key_is_explained() -> None:
    """In docs/languages.md."""
    result = (Path(__file__).parent.parent / "docs" / "languages.md").read_text(encoding="utf-8")
    assert [key for key in every_key() if f"`{key}`" not in result] == []


def test_rules_can_be_read_as_folded_texts_are(lang: str) -> None:
    table = SHIPPED[lang]
    for rule in (*table.smalltalk.robot_rules, *table.person.rules, *table.prefixes.particles):
        re.compile(folded_rule(rule))


def test_no_word_is_listed_twice(lang: str) -> None:
    """In one list: the second does nothing."""
    table = SHIPPED[lang]
    for name in ("greeting", "thanks", "goodbye", "fillers"):
        words = getattr(table.smalltalk, name)
        assert len(set(words)) == len(words), name
    for several in table.colloquial.words.values():
        assert len(set(several)) == len(several)


def test_no_shop_is_named_in_the_package() -> None:
    """Its name is in its corpus.toml. The command that serves the demo names its folder."""
    names = set()
    for file in SHOPS.glob("*/corpus.toml"):
        facts = tomllib.loads(file.read_text(encoding="utf-8"))
        names |= {facts["name"], *(shop["name"] for shop in facts["shop"].values())}
    assert names
    package = Path(language.__file__).parent.parent
    for file in (*package.rglob("*.py"), *package.rglob("*.toml"), *language.web_folder().rglob("*.toml")):
        text = file.read_text(encoding="utf-8").lower().replace("corpora/lalezar", "").replace("indexes/lalezar", "")
        assert [name for name in names if name.lower() in text] == [], file


def test_a_damaged_file_of_the_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the key and what helps."""
    (tmp_path / "en.toml").write_text('[smalltalk]\ngreetings = "hi"\n[domains]\n', encoding="utf-8")
    monkeypatch.setattr("botkit.language.tables.DATA", tmp_path)
    shipped.cache_clear()
    try:
        with pytest.raises(LanguageError, match=r"en\.toml: unknown key `smalltalk\.greetings`\. Did you mean"):
            shipped("en")
    finally:
        shipped.cache_clear()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"digits": ["123"]}, "ten digits each"),
        ({"letters": {"ab": "c"}}, "letters and what each stands for"),
        ({"apostrophe_ends_word": "yes"}, "true or false"),
        ({"detection": {"letters_weight": -1}}, "a number above 0"),
        ({"latin": {"letters": [["sh"]]}}, "a list of pairs"),
        ({"colloquial": {"endings": [["a(b)", r"\2"]]}}, "group"),
        ({"colloquial": {"words": {"you": ["u"]}}}, "written"),
        ({"xyz": 1}, "Known keys here: script"),
    ],
)
def test_what_is_wrong_with_a_value_is_said(raw: dict[str, Any], said: str) -> None:
    result, ((key, message),) = checked(raw)
    assert said in message
    assert key.split(".")[0] in raw
    assert not result or result == {next(iter(raw)): {}}


def test_languages_without_a_file_have_what_little_is_known() -> None:
    """A direction, a script and a stemmer; and no code, however it is made up, is kept."""
    assert language.direction("he") == language.direction("ur-PK") == "rtl"
    assert language.script_of("ru") == "cyrillic"
    assert language.words("Lieferungen", "de") == language.words("Lieferung", "de")
    for code in ("xx", "tlh", "en-" + "x" * 50, ""):
        assert SHIPPED.known(code) == ""
        assert SHIPPED[code] == schema.Table()
