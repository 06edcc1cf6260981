"""A shop in a sixth language: one data file and one catalogue in its corpus, through the real application.

`tests/german` is all there is of German; nothing in the package knows it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from desk_shop import PASSWORD
from flask import Flask
from flask.testing import FlaskClient

from botkit import accounts, build, corpus, index, language, reports
from botkit.index import Index, Live
from botkit.store import Store

GERMAN = Path(__file__).parent / "german"
PERSON = "Ich möchte mit einem Menschen sprechen"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The German shop's index."""
    built = tmp_path_factory.mktemp("german") / "index"
    build.publish(GERMAN, built)
    return built


@pytest.fixture(scope="module")
def live(folder: Path) -> Live:
    return Live(folder)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The same corpus without what it says of German."""
    copy = tmp_path / "bare"
    shutil.copytree(GERMAN, copy, ignore=shutil.ignore_patterns("languages", "messages"))
    return copy


class Customer:
    """A conversation on a German page."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        begun = self.client.post("/api/v1/conversations", json={"lang": "de", "page": "/"}).get_json()
        self.address, self.headers = (
            f"/api/v1/conversations/{begun['id']}",
            {"Authorization": f"Bearer {begun['token']}"},
        )
        self.sent = 0

    def says(self, text: str) -> Any:
        """The reply to a message."""
        self.sent += 1
        body = {"text": text, "client_id": f"message-{self.sent}"}
        return self.client.post(f"{self.address}/messages", json=body, headers=self.headers).get_json()["reply"]


@pytest.fixture
def customer(app: Flask) -> Customer:
    return Customer(app)


@pytest.mark.parametrize(
    ("text", "topic", "told"),
    [
        ("Hallo!", "greeting", "Hallo! Fragen Sie mich alles"),
        ("Guten Tag, liebes Team Kieselstein", "greeting", "Hallo! Fragen Sie mich alles"),
        ("grüß Gott", "greeting", "Hallo! Fragen Sie mich alles"),
        ("Vielen Dank für die Hilfe", "thanks", "Gern geschehen."),
        ("Auf Wiedersehen", "goodbye", "Auf Wiedersehen"),
        ("Sind Sie ein Roboter?", "robot", "Ich bin der automatische Assistent"),
        ("merhaba", "greeting", ""),
        ("teşekkürler", "thanks", ""),
    ],
)
def test_small_talk_is_understood(customer: Customer, text: str, topic: str, told: str) -> None:
    """In German and, as everywhere, in the languages that the package knows."""
    reply = customer.says(text)
    assert (reply["kind"], reply["topic"]) == ("smalltalk", topic)
    assert reply["text"].startswith(told)
    assert reply["lang"] == "de" or not told


@pytest.mark.parametrize(
    "text",
    [
        PERSON,
        "kann ich bitte mit jemandem vom Support reden?",
        "Verbinden Sie mich bitte, ich will mit einem echten Mitarbeiter telefonieren",
        "Mitarbeiter bitte",
        "I want to talk to a person",
    ],
)
def test_asking_for_a_person_hands_over_in_german(customer: Customer, text: str) -> None:
    reply = customer.says(text)
    assert (reply["kind"], reply["reason"], reply["direction"]) == ("handoff", "customer_request", "ltr")
    assert "Sie sind als Nächstes an der Reihe." in reply["text"] or reply["lang"] == "en"


def test_the_place_in_the_queue_is_counted_in_german(app: Flask) -> None:
    Customer(app).says(PERSON)
    assert "Sie sind Nummer 2 in der Warteschlange." in Customer(app).says(PERSON)["text"]


def test_questions_are_answered(customer: Customer) -> None:
    """And what hangs on the one before is understood; talk of somebody is no wish for a person."""
    first = customer.says("was kostet der versand")
    assert (first["kind"], first["article"], first["lang"]) == ("answer", "versand/kosten", "de")
    second = customer.says("und nach Österreich?")
    assert second["article"] == "versand/ausland"
    assert customer.says("kann ich schuhe umtauschen")["article"] == "rueckgabe/frist"
    assert not language.wants_person("Kann ich das Paket an eine andere Person schicken?", _tables())


def _tables() -> language.Tables:
    return corpus.load(GERMAN).tables


@pytest.mark.parametrize(
    ("text", "continuation", "content_words"),
    [
        ("und nach Österreich?", True, ("osterreich",)),
        ("übrigens, wann haben Sie geöffnet?", False, ("ubrigens", "geoffnet")),
        ("Wie lange dauert das?", False, ()),
    ],
)
def test_follow_ups_are_told_by_their_words(text: str, continuation: bool, content_words: tuple[str, ...]) -> None:
    cues = language.context_cues(text, "de", _tables())
    assert (cues.continuation, cues.content_words) == (continuation, content_words)
    assert language.context_cues(text, "de").content_words != content_words  # by the package alone


def test_choices_are_picked_and_refused() -> None:
    tables = _tables()
    assert [language.ordinal(text, tables) for text in ("die zweite bitte", "das letzte", "the third one")] == [
        2,
        -1,
        3,
    ]
    assert language.neither("Keine davon.", tables)
    assert not language.neither("Keine davon.")
    assert language.named("die Lieferzeit", ["Was kostet der Versand?", "Lieferzeiten im Inland"], "de", tables) == 1


def test_everyday_words_concerns_and_other_domains_are_known() -> None:
    tables = _tables()
    assert language.normalise_script("mein packerl is ned da", "de", tables) == "mein Paket is nicht da"
    assert language.concerns("Ich will mein Geld zurück, das ist Betrug", tables) == {"complaint", "refund"}
    assert language.domains("Wie kündige ich das Fitnessstudio?", "de", tables) == {"gym"}
    assert language.words("Öffnungszeiten", "de", tables) == language.words("Öffnungszeit", "de", tables)
    assert language.detect("was kostet das", (*language.LANGUAGES, "de"), tables=tables).best == "de"


def test_the_pages_are_in_german(client: FlaskClient) -> None:
    home = client.get("/help/de/").get_data(as_text=True)
    assert '<html lang="de" dir="ltr"' in home
    assert "Wie können wir helfen?" in home
    assert "Was kostet der Versand?" in home
    result = client.get("/help/de/search?q=versandkosten").get_data(as_text=True)
    assert "Ergebnisse für „versandkosten“" in result
    assert "Was kostet der <mark>Versand</mark>" in result or "Was kostet der Versand" in result
    assert "Chat mit Kieselstein" in client.get("/widget?lang=de").get_data(as_text=True)
    assert "Hier ist nichts" in client.get("/help/de/nirgends").get_data(as_text=True)


def test_the_desk_knows_the_language(app: Flask, store: Store, customer: Customer) -> None:
    """An agent can speak it and read the desk in it, as far as it has texts; the queue names it; a complaint comes
    forward; what is judged becomes labels by its words."""
    accounts.add_agent(store, "Boss", "supervisor", PASSWORD)
    desk = app.test_client()
    desk.post("/desk/login", data={"name": "Boss", "password": PASSWORD})
    token = accounts.issue_token(store, "Boss")
    headers = {"Authorization": f"Bearer {token}"}
    arranged = desk.post("/api/v1/desk/agents/Boss", json={"languages": ["de", "en"]}, headers=headers)
    assert arranged.get_json()["languages"] == ["de", "en"]
    assert desk.post("/api/v1/desk/agents/Boss", json={"languages": ["fr"]}, headers=headers).status_code == 400
    customer.says("Das ist Betrug, ich will mein Geld zurück")
    customer.says(PERSON)
    (ticket,) = desk.get("/api/v1/desk/tickets", headers=headers).get_json()["tickets"]
    assert {each["reason"] for each in ticket["priority"]["reasons"]} >= {"complaint", "refund", "asked"}
    assert "Deutsch" in desk.get("/desk?lang=de").get_data(as_text=True)
    assert reports.labels(store, tables=_tables()) == []


def test_what_the_corpus_adds_travels_with_the_index(folder: Path) -> None:
    """It is among the files that are checked; the package knows no German afterwards."""
    opened = Index.open(folder)
    assert "languages.json" in opened.manifest["files"]
    assert opened.tables["de"].smalltalk.greeting
    assert language.smalltalk("hallo zusammen") is None
    assert index.tables(folder)[0] == ("de",)


def test_a_corpus_without_additions_has_no_such_file(live: Live, bare: Path, tmp_path: Path) -> None:
    """So that its index is the same, byte for byte, as before there were any."""
    result = corpus.load(bare)
    assert not result.additions
    assert corpus.digest(bare) != corpus.digest(GERMAN)
    draft = index.build(result, tmp_path / "index", encoder=live.current().encoder)
    assert not (draft.folder / "languages.json").exists()
    assert draft.tables["de"].smalltalk.greeting == ()


def test_check_says_what_will_not_work(bare: Path) -> None:
    """Which features, for want of which keys, and that the interface speaks English."""
    result, findings = corpus.check(bare)
    assert result is not None
    assert {finding.level for finding in findings} == {"warning"}
    stored = "\n".join(map(str, findings))
    assert "greetings, thanks and goodbyes (smalltalk.greeting, smalltalk.thanks, smalltalk.goodbye)" in stored
    assert "asking for a person (person.phrases, person.alone, person.rules)" in stored
    assert "languages/de.toml" in stored
    assert "the interface has no texts in `de` and speaks English" in stored
    assert corpus.check(GERMAN)[1] == []


@pytest.mark.parametrize(
    ("file", "line", "content", "said"),
    [
        ("languages/de.toml", 2, '[smalltalk]\ngreetings = "hallo"\n', "Did you mean `smalltalk.greeting`?"),
        ("languages/de.toml", 3, '[smalltalk]\n\ngreeting = ["hallo"]\n', "must be words parted by blanks"),
        ("languages/de.toml", 1, 'script = "runes"\n', "must be one of latin, arabic, cyrillic, other"),
        ("languages/de.toml", 2, '[person]\nrules = ["mit (Menschen"]\n', "is not a regular expression"),
        ("languages/de.toml", 2, '[domains]\nbeekeeping = "honig"\n', "unknown domain `beekeeping`"),
        ("languages/de.toml", 1, "smalltalk = 3\n", "Write [smalltalk]"),
        ("languages/de.toml", 1, 'stemmer = "klingon"\n', "there is no stemmer 'klingon'"),
        ("languages/de.toml", 2, "\n[detection\n", "not valid TOML"),
        ("languages/Deutsch.toml", 1, "", "Name it by the language's code"),
        ("messages/de/bot.toml", 1, 'hello = "Hallo"\n', "unknown text `bot.hello`"),
        ("messages/de/bot.toml", 1, "greeting = 3\n", "must be a text in quotes"),
        ("messages/de/chat.toml", 1, 'queue_position = "Nummer {place}"\n', "has {place}, which is not filled in"),
        ("messages/de/chat.toml", 1, 'queue_position = "Nummer {position"\n', "a brace too many or too few"),
        ("messages/bot.toml", 1, "", "Put it into a folder of its language"),
    ],
)
def test_a_mistake_is_found_with_its_line(bare: Path, file: str, line: int, content: str, said: str) -> None:
    """File, key, what is expected and the cure; nothing else of the corpus is lost."""
    (bare / file).parent.mkdir(parents=True, exist_ok=True)
    (bare / file).write_text(content, encoding="utf-8")
    result, findings = corpus.check(bare)
    assert result is not None
    assert len(result.articles) == 5
    errors = [finding for finding in findings if finding.level == "error"]
    assert [(Path(each.file).name, each.line) for each in errors] == [(Path(file).name, line)]
    assert said in errors[0].message


def test_a_corpus_may_say_it_otherwise_in_a_language_that_is_known(bare: Path) -> None:
    """Its keys stand in place of the package's, and every other key stays."""
    (bare / "languages").mkdir()
    (bare / "languages" / "en.toml").write_text('[smalltalk]\ngreeting = "ahoy"\n', encoding="utf-8")
    (bare / "messages" / "en").mkdir(parents=True)
    (bare / "messages" / "en" / "bot.toml").write_text('greeting = "Ahoy!"\n', encoding="utf-8")
    tables = corpus.load(bare).tables
    assert [language.smalltalk(text, tables) for text in ("ahoy", "hello", "thanks")] == ["greeting", None, "thanks"]
    assert language.messages("en", tables)["bot.greeting"] == "Ahoy!"
    assert language.messages("en", tables)["bot.thanks"] == language.messages("en")["bot.thanks"]
    assert tables["en"].stemmer == "english"


def test_a_later_release_reads_what_an_index_brought(folder: Path, tmp_path: Path) -> None:
    """A key that it knows no more, or reads otherwise, is left out and keeps nothing else from being read."""
    table = json.loads((Index.open(folder).folder / "languages.json").read_text(encoding="utf-8"))
    table["tables"]["de"]["smalltalk"] |= {"greeting": ["hallo"], "farewell": "tschau"}
    read = language.Additions.of(json.dumps(table))
    assert set(read.tables["de"]["smalltalk"]) == {"thanks", "goodbye", "fillers", "robot"}


def test_a_server_says_at_its_start_what_will_not_work(bare: Path, tmp_path: Path, live: Live) -> None:
    draft = index.build(corpus.load(bare), tmp_path / "index", encoder=live.current().encoder)
    sealed = index.seal(draft, live.current().confidence)
    index.publish(sealed)
    code = f"from botkit.cli.serving import _no_index; print(_no_index({str(tmp_path / 'index')!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Warning: in `de` this does not work: greetings, thanks and goodbyes")
    assert "Warning: the interface has no texts in `de`" in done.stdout


def test_the_shop_s_own_name_may_stand_beside_a_greeting(live: Live) -> None:
    """Whichever shop it is: the package knows none."""
    tables = live.current().tables
    assert language.smalltalk("Hallo Kieselstein", tables) == "greeting"
    assert language.smalltalk("Hallo Kieselstein") is None
    assert language.smalltalk("hello Lalezar") is None


def test_help_is_printed_without_reading_languages() -> None:
    """Nothing is read at import; `botkit --help` does not even import them."""
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom botkit.cli import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\nassert 'botkit.language' not in sys.modules\n"
        "import botkit.language as l\nassert not l.SHIPPED._made\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
