"""The command line: what it prints, what it writes, how it ends; errors say what to do and show no traceback."""

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import click
import pyotp
import pytest
from click.testing import CliRunner, Result
from small import FRUIT, article, write

from botkit import __version__, accounts, cli
from botkit.index import Index
from botkit.store import Store


def botkit(*arguments: object, stdin: str | None = None) -> Result:
    """The command line within this process."""
    return CliRunner().invoke(cli.main, [str(a) for a in arguments], input=stdin)


def alone(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own."""
    command = [sys.executable, "-c", "from botkit.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'record.db'}"


# ---------------------------------------------------------------- help


def test_help_is_immediate() -> None:
    """It lists the commands and imports nothing heavy."""
    code = (
        "import sys\nfrom botkit.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('numpy', 'flask', 'sqlalchemy', 'faiss', 'yaml', 'scipy', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("\n[]")
    for command in ("check", "index", "ask", "eval", "serve", "report", "user"):
        assert f"\n  {command} " in done.stdout


def test_every_command_and_option_explains_itself() -> None:
    """No help text is missing anywhere."""
    missing: list[str] = []

    def visit(command: click.Command, path: str) -> None:
        if not command.help:
            missing.append(path)
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.help:
                missing.append(f"{path} {parameter.opts[0]}")
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                visit(inner, f"{path} {name}")

    visit(cli.main, "botkit")
    assert missing == []
    assert __version__ in botkit("--version").output


# ---------------------------------------------------------------- check and index


def test_check_prints_findings_and_ends_with_one_on_errors(tmp_path: Path, corpus_folder: Path) -> None:
    """file:line: message on standard output, a count on standard error; warnings alone end with nought."""
    good = botkit("check", corpus_folder)
    assert (good.exit_code, good.stdout) == (0, "")
    assert " articles and 6 canned replies, 0 errors, 0 warnings" in good.stderr
    warned = botkit("check", write(tmp_path / "w", {**FRUIT, "en/fig.md": article("Figs?", "")}))
    assert warned.exit_code == 0
    assert f"{tmp_path}/w/en/fig.md:3: warning: " in warned.stdout
    bad = botkit("check", write(tmp_path / "b", {**FRUIT, "en/fig.md": "x"}))
    assert bad.exit_code == 1
    assert bad.stdout == (
        f"{tmp_path}/b/en/fig.md:1: no front matter. Begin the file with a line `---`, then `title: ...`, then `---`.\n"
    )
    assert "1 errors" in bad.stderr
    assert botkit("check", tmp_path / "nothing").exit_code == 1


def test_index_builds_publishes_and_says_what(tmp_path: Path) -> None:
    """One line; a second time with --if-changed there is nothing to do."""
    source, out = write(tmp_path / "corpus", FRUIT), tmp_path / "index"
    first = botkit("index", source, "--out", out, "--if-changed")
    assert first.exit_code == 0
    version = Index.open(out).version
    assert first.stdout == (
        f"published {out}: version {version}, 3 articles, 9 phrasings, 3 passages, 0 of 0 tests passed\n"
    )
    again = botkit("index", source, "--out", out, "--if-changed")
    assert (again.exit_code, again.stdout) == (0, f"{out} is up to date\n")
    write(source, {"en/apple.md": article("Which apples keep?", tests="[ripening pears]")})
    failed = botkit("index", source, "--out", out)
    assert failed.exit_code == 1
    assert "tests failed, so nothing was published" in failed.stderr
    assert Index.open(out).version == version
    allowed = botkit("index", source, "--out", out, "--allow-failing-tests")
    assert allowed.exit_code == 0
    assert "0 of 1 tests passed" in allowed.stdout
    assert "ripening pears" in allowed.stderr


def test_index_takes_judged_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The corpus's own and those of --labels, given again and again; what may be wrong is a setting."""
    rows = [
        {"id": str(n), "text": f"how do I keep {n} apples over the winter", "relevant": ["apple"]} for n in range(40)
    ]
    lines = [json.dumps(row) + "\n" for row in rows]
    source = write(tmp_path / "corpus", {**FRUIT, "labels/own.jsonl": "".join(lines[:20])})
    write(tmp_path / "more", {"a.jsonl": "".join(lines[20:30]), "b/c.jsonl": "".join(lines[30:])})
    value = ("index", source, "--out", tmp_path / "index", "--if-changed")
    more = ("--labels", tmp_path / "more/a.jsonl", "--labels", tmp_path / "more/b")
    assert "confidence as shipped; uncertified, about 24 labels more" in botkit(*value).stderr
    done = botkit(*value, *more)
    assert done.exit_code == 0
    assert "shifted with 40 labels; certified: at most 10% of the answers are wrong from 0." in done.stderr
    assert botkit(*value, *more).stdout.endswith(" is up to date\n")
    monkeypatch.setenv("BOTKIT_MOST_WRONG", "0.05")
    lost = botkit("index", source, "--out", tmp_path / "index", *more)
    assert lost.exit_code == 0
    assert "warning: the version before was certified from 0." in lost.stderr
    assert botkit(*value, "--labels", tmp_path / "nothing").exit_code == 2
    bad = botkit(*value, "--labels", write(tmp_path / "bad", {"a.jsonl": "{}\n"}))
    assert bad.exit_code == 1
    assert f"{tmp_path / 'bad' / 'a.jsonl'}:1: `id` is missing" in bad.stderr


@pytest.mark.parametrize("out", ["/proc/nothing/index", "{file}/index"])
def test_index_into_a_folder_that_cannot_be_written_says_so(out: str, tmp_path: Path) -> None:
    """And not with a traceback."""
    (tmp_path / "file").write_text("x")
    done = botkit("index", write(tmp_path / "corpus", FRUIT), "--out", out.format(file=tmp_path / "file"))
    assert done.exit_code == 1
    assert "cannot be written" in done.stderr


# ---------------------------------------------------------------- ask


def test_ask_prints_kind_candidates_text_and_source(index_folder: Path) -> None:
    """For a person to read, with what weighed how much if asked."""
    done = botkit("ask", "--index", index_folder, "where is my order", "--lang", "en", "--explain")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("answer  orders/track-order  p=")
    assert "lang=en" in lines[0]
    assert lines[1].split()[1] == "orders/track-order"
    assert "→ Where is my order? </help/en/orders/track-order>" in lines
    assert any(line.split()[1:2] == ["intercept"] for line in lines)
    assert any(line.endswith("cosine of the question to the nearest phrasing") for line in lines)
    person = botkit("ask", "--index", index_folder, "I want to talk to a person")
    assert "reason=customer_request" in person.stdout


QUERIES = [
    {"id": "q1", "text": "where is my order"},
    {"id": 2, "text": "سفارش من کجاست", "lang": "fa"},
    {"id": None, "text": ""},
    {"id": "\ud800", "text": "\ud800 lone"},
    {"id": "q4", "text": "qwzx vbnm plok", "lang": None, "more": 1},
    {"text": "I want to talk to a person\x00\u202e"},
    {"id": "long", "text": "refund " * 3000},
]


def test_ask_answers_a_file_line_by_line(index_folder: Path, tmp_path: Path) -> None:
    """Exactly the keys of the contract, in the order of the questions; blank lines are skipped."""
    queries, replies = tmp_path / "queries.jsonl", tmp_path / "replies.jsonl"
    queries.write_text("\n\n".join(json.dumps(q) for q in QUERIES) + "\n", encoding="utf-8")
    done = botkit("ask", "--index", index_folder, "--jsonl", queries, "--out", replies)
    assert (done.exit_code, done.stdout) == (0, "")
    rows = [json.loads(line) for line in replies.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == [q.get("id") for q in QUERIES]
    for row in rows:
        assert list(row) == ["id", "kind", "article", "confidence", "options", "ms"]
        assert row["kind"] in ("answer", "clarify", "handoff", "smalltalk")
        assert all(list(option) == ["article", "confidence"] for option in row["options"])
        assert row["ms"] > 0
        if row["options"]:
            assert (row["article"], row["confidence"]) == tuple(row["options"][0].values())
    assert [row["kind"] for row in rows[:3]] == ["answer", "answer", "smalltalk"]
    assert rows[0]["article"] == rows[1]["article"] == "orders/track-order"
    assert rows[5]["kind"] == "handoff"
    queries.write_text("\n".join(json.dumps(q) for q in QUERIES if q.get("id") != "\ud800"), encoding="utf-8")
    printed = botkit("ask", "--index", index_folder, "--jsonl", queries)
    same = [json.loads(line) for line in printed.stdout.splitlines()]
    assert [{**row, "ms": 0} for row in same] == [{**row, "ms": 0} for row in rows if row["id"] != "\ud800"]


@pytest.mark.parametrize("broken", ["{", "[]", '"x"', '{"id": 1}', '{"id": 1, "text": 5}', "null", b"\xff"])
def test_ask_names_the_line_that_is_no_question(broken: str | bytes, index_folder: Path, tmp_path: Path) -> None:
    """file:line, and how a line should look; the lines before it are answered."""
    queries, replies = tmp_path / "queries.jsonl", tmp_path / "replies.jsonl"
    line = broken if isinstance(broken, bytes) else broken.encode()
    queries.write_bytes(b'{"id": 1, "text": "refund"}\n' + line + b"\n")
    done = botkit("ask", "--index", index_folder, "--jsonl", queries, "--out", replies)
    assert done.exit_code == 1
    assert f"{queries}:2: " in done.stderr
    assert '{"id": ..., "text": "..."}' in done.stderr
    assert "Traceback" not in done.output


def test_ask_wants_one_question_and_one_index(index_folder: Path, tmp_path: Path) -> None:
    """And says what is missing."""
    assert botkit("ask", "--index", index_folder).exit_code == 2
    assert botkit("ask", "--index", index_folder, "x", "--jsonl", __file__).exit_code == 2
    none = botkit("ask", "x")
    assert none.exit_code == 1
    assert "Give --index INDEXES/NAME" in none.stderr
    nowhere = botkit("ask", "--index", tmp_path, "x")
    assert nowhere.exit_code == 1
    assert "Build one with `botkit index CORPUS --out" in nowhere.stderr


def test_settings_come_from_file_and_environment(
    index_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index named in a file, a threshold in the environment; a wrong one is an error and no traceback."""
    file = tmp_path / "my.toml"
    file.write_text(f'index = "{index_folder}"\n')
    assert botkit("--config", file, "ask", "where is my order").stdout.startswith("answer ")
    monkeypatch.setenv("BOTKIT_ANSWER_THRESHOLD", "1")
    assert not botkit("--config", file, "ask", "where my parcel be").stdout.startswith("answer ")
    monkeypatch.setenv("BOTKIT_ANSWER_TRESHOLD", "1")
    wrong = botkit("--config", file, "ask", "x")
    assert wrong.exit_code == 1
    assert "Did you mean `answer_threshold`?" in wrong.stderr


# ---------------------------------------------------------------- eval

JUDGED = [
    {"id": "1", "lang": "en", "text": "where is my order", "relevant": ["orders/track-order"], "split": "dev"},
    {"id": "2", "lang": "fa", "text": "سفارش من کجاست", "relevant": ["orders/track-order"], "split": "dev"},
    {"id": "3", "lang": "en", "text": "where is my order", "relevant": ["no/such-article"], "split": "test"},
    {"id": "4", "lang": "en", "turns": [{"text": "x", "relevant": []}, {"text": "2", "kind": "choice", "pick": 2}]},
]


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """A folder of judged questions: two that are answered rightly, one that names no article, a dialogue."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in JUDGED)
    return write(tmp_path / "mine", {"some.jsonl": lines})


def test_eval_prints_tables_and_writes_a_page_and_json(index_folder: Path, judged: Path, tmp_path: Path) -> None:
    """A row for each language and all on standard output, of questions and of dialogues' turns; progress on standard
    error."""
    page, result = tmp_path / "out" / "report.html", tmp_path / "out" / "report.json"
    done = botkit("eval", "--index", index_folder, judged, "--html", page, "--json", result)
    assert done.exit_code == 0
    assert [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("|")] == [
        "set", "---", "en", "fa", "all", "set", "---", "en", "en", "all", "all",
    ]  # fmt: skip
    assert "| all | first | 1 | on |" in done.stdout
    assert "\nmachine: " in done.stdout
    assert "1 dialogues of mine, twice" in done.stderr
    assert "asked 3 of 3 questions" in done.stderr
    assert "no/such-article" in done.stderr
    written = json.loads(result.read_text(encoding="utf-8"))
    assert written["dialogues"][0]["figures"]["all"]["off"]["first"]["judged"] == 1
    figures = written["sets"][0]["systems"][0]["figures"]
    assert (figures["all"]["questions"], figures["languages"]["fa"]["accuracy_at_1"]) == (3, 1.0)
    html = page.read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert "dialogues, turn by turn" in html


def test_eval_takes_a_half_a_language_and_several_sets(index_folder: Path, judged: Path) -> None:
    """Each argument is a set; together they are `all`."""
    half = botkit("eval", "--index", index_folder, judged, "--split", "dev", "--lang", "fa")
    assert [line.split("|")[1:3] for line in half.stdout.splitlines() if line.startswith("|")][2:] == [
        [" mine ", " 1 "]
    ]
    both = botkit("eval", "--index", index_folder, judged, judged / "some.jsonl", "--split", "dev", "--lang", "en")
    names = [line.split("|")[1].strip() for line in both.stdout.splitlines() if line.startswith("|")]
    assert names[2:] == ["all", "mine", "some"]
    words = botkit("eval", "--index", index_folder, judged, "--split", "dev", "--words")
    assert f"{index_folder} on mine, dev split, words alone" in words.stdout
    none = botkit("eval", "--index", index_folder, judged, "--lang", "tr")
    assert none.exit_code == 1
    assert "none of 4 questions and dialogues is asked for. Leave --split and --lang out" in none.stderr


def test_eval_gates_on_precision(index_folder: Path, judged: Path) -> None:
    """Two of three answers are right; nothing answered is no precision at all."""
    assert botkit("eval", "--index", index_folder, judged, "--min-precision", "0.6").exit_code == 0
    low = botkit("eval", "--index", index_folder, judged, "--min-precision", "0.9")
    assert low.exit_code == 1
    assert "| all | " in low.stdout
    assert "66.7 % of the answered is right, less than the 90.0 % asked for." in low.stderr
    (judged / "some.jsonl").write_text('{"id": "1", "text": "I want to talk to a person", "relevant": []}')
    nothing = botkit("eval", "--index", index_folder, judged, "--min-precision", "0")
    assert nothing.exit_code == 1
    assert "nothing was answered" in nothing.stderr


def test_eval_tells_what_changed_against_another_index(index_folder: Path, judged: Path, tmp_path: Path) -> None:
    """From the other one to this; an index cannot be compared with itself."""
    other = tmp_path / "other"
    assert botkit("index", write(tmp_path / "corpus", FRUIT), "--out", other).exit_code == 0
    done = botkit("eval", "--index", index_folder, judged, "--split", "dev", "--against", other)
    assert done.exit_code == 0
    assert f"from {other} {Index.open(other).version} to {index_folder} " in done.stdout
    assert "changed: 2 better, 0 worse, 0 other" in done.stdout
    assert f"| all | {other} | " in done.stdout
    same = botkit("eval", "--index", index_folder, judged, "--against", index_folder)
    assert same.exit_code == 2


def test_eval_says_what_cannot_be_read_or_written(index_folder: Path, judged: Path, tmp_path: Path) -> None:
    """file:line and the cure, before anything is asked; no traceback."""
    (judged / "bad.jsonl").write_text('{"id": "1", "text": "x", "relevant": []}\n{"id": "2", "txt": "x"}\n')
    bad = botkit("eval", "--index", index_folder, judged)
    assert bad.exit_code == 1
    assert f"{judged / 'bad.jsonl'}:2: unknown field `txt`. Did you mean `text`?" in bad.stderr
    assert botkit("eval", "--index", index_folder).exit_code == 2
    assert "Give --index" in botkit("eval", judged / "some.jsonl").stderr
    written = botkit("eval", "--index", index_folder, judged / "some.jsonl", "--html", "/proc/nothing/r.html")
    assert written.exit_code == 1
    assert "cannot be written" in written.stderr


# ---------------------------------------------------------------- serve


def test_serve_without_an_index_says_how_to_build_one(tmp_path: Path) -> None:
    """For no name and a folder that is not there; each before a port is opened or a database made."""
    unnamed = alone("serve", cwd=tmp_path)
    assert unnamed.returncode == 1
    assert "built by `botkit index`" in unnamed.stderr
    empty = alone("serve", "--index", tmp_path / "none", cwd=tmp_path)
    assert empty.returncode == 1
    assert f"Build one with `botkit index CORPUS --out {tmp_path / 'none'}`" in empty.stderr
    assert "Traceback" not in empty.stderr
    assert list(tmp_path.iterdir()) == []


def test_serve_refuses_what_a_person_must_mend(tmp_path: Path) -> None:
    """A folder without any version, and a database address that is none; a damaged version is no such thing."""
    (tmp_path / "empty").mkdir()
    empty = alone("serve", "--index", tmp_path / "empty", cwd=tmp_path)
    assert empty.returncode == 1
    assert "Build one with `botkit index CORPUS" in empty.stderr
    out = tmp_path / "index"
    assert botkit("index", write(tmp_path / "corpus", FRUIT), "--out", out).exit_code == 0
    unknown = alone("serve", "--index", out, "--database", "mysql://x/y", cwd=tmp_path)
    assert unknown.returncode == 1
    assert "SQLite or PostgreSQL" in unknown.stderr


# ---------------------------------------------------------------- accounts and reports


def test_an_account_is_added_given_a_token_and_listed(database: str) -> None:
    """The password comes from standard input and the token is printed once; both work."""
    options = ("--role", "supervisor", "--password-stdin", "--database", database)
    added = botkit("user", "add", "Ada", *options, stdin="long secret words\n")
    assert (added.exit_code, added.stdout) == (0, "added Ada (supervisor)\n")
    token = botkit("user", "token", "ada", "--database", database)
    assert token.exit_code == 0
    store = Store(database)
    owner = accounts.agent_by_token(store, token.stdout.strip())
    store.close()
    assert owner is not None
    assert owner.name == "Ada"
    assert botkit("user", "list", "--database", database).stdout == "Ada\tsupervisor\n"
    assert botkit("user", "disable", "Ada", "--database", database).exit_code == 0
    assert botkit("user", "list", "--database", database).stdout == "Ada\tsupervisor  disabled\n"


def test_what_cannot_be_done_to_an_account_is_said(database: str) -> None:
    """A second one of the name, an unknown role, an empty password, nobody of that name."""

    def add(name: str, *more: str, password: str = "long secret words\n") -> Result:
        return botkit("user", "add", name, "--password-stdin", "--database", database, *more, stdin=password)

    assert add("Ada").exit_code == 0
    for failed in (
        add("ada"),
        add("Bob", "--role", "king"),
        add("Bob", password="\n"),
        add(" "),
        botkit("user", "token", "Zoe", "--database", database),
        botkit("user", "list", "--database", "mysql://x/y"),
    ):
        assert failed.exit_code == 1
        assert failed.stderr.startswith("Error: ")
        assert "Traceback" not in failed.output
    assert [add(same, "--if-missing").exit_code for same in ("ada", " Ada ", "\uff21da")] == [0, 0, 0]
    assert botkit("user", "list", "--database", database).stdout == "Ada\tagent\n"


def test_where_an_account_is_signed_in_and_its_tokens_are_listed_and_ended(database: str) -> None:
    def user(*arguments: str, fails: bool = False) -> str:
        done = botkit("user", *arguments, "--database", database)
        assert (done.exit_code == 1) == fails, done.output
        return done.stderr if fails else done.stdout

    user("add", "Ada", "--temporary")
    store = Store(database)
    (ada,) = accounts.agents(store)
    assert (user("sessions", "Ada"), user("tokens", "Ada")) == ("", "")
    texts = [accounts.begin_session(store, ada, agent, timedelta(hours=1)) for agent in ("Firefox/140.0 Linux", "curl")]
    times = r"[0-9TZ:.+-]+\t[0-9TZ:.+-]+"
    match = re.fullmatch(
        rf"(\d+)\t{times}\tunknown browser\n(\d+)\t{times}\tFirefox on Linux\n", user("sessions", "ada")
    )
    assert match is not None
    assert user("sign-out", "Ada", "--session", match[1]) == f"session {match[1]} of Ada is ended\n"
    assert "has no session" in user("sign-out", "Ada", "--session", match[1], fails=True)
    idle = timedelta(hours=1)
    assert [accounts.session_of(store, text, idle) is not None for text in texts] == [True, False]
    assert user("sign-out", "Ada") == "Ada is signed out everywhere\n"
    assert accounts.session_of(store, texts[0], idle) is None

    token = user("token", "Ada", "--name", "display", "--scope", "read", "--days", "30").strip()
    user("token", "Ada", "--name", "till")
    lines = user("tokens", "Ada").splitlines()
    assert [line.split("\t")[2::3] for line in lines] == [["full", "till"], ["read", "display"]]
    assert lines[1].split("\t")[1] == token[:9] + "..."
    assert lines[1].split("\t")[3] == "never used"
    number = lines[1].split("\t")[0]
    assert user("revoke", "Ada", "--token", number) == f"token {number} of Ada is revoked\n"
    assert "has no token" in user("revoke", "Ada", "--token", number, fails=True)
    assert accounts.agent_by_token(store, token) is None
    assert "no such scope 'all': expected one of read, answer, full" in user(
        "token", "Ada", "--scope", "all", fails=True
    )
    for command in ("sessions", "tokens", "sign-out"):
        assert "no account called 'Zoe'" in user(command, "Zoe", fails=True)
    store.close()


def test_an_address_is_unlocked_from_the_command_line(database: str) -> None:
    def unlock(*arguments: str) -> Result:
        return botkit("user", "unlock", *arguments, "--database", database)

    botkit("user", "add", "Ada", "--password-stdin", "--database", database, stdin="long secret words\n")
    store = Store(database)
    for n in range(50):
        accounts.sign_in(store, f"nobody {n}", "wrong", "2001:db8::/64")
    with pytest.raises(accounts.TooManyGuesses):
        accounts.sign_in(store, "Ada", "long secret words", "2001:db8::/64")
    listed = botkit("user", "list", "--database", database).stdout
    assert "the address 2001:db8::/64 is locked for" in listed
    assert unlock("--address", "2001:db8::7").stdout == "2001:db8::/64 is unlocked\n"
    assert unlock("--address", "2001:db8::/64").stdout == "2001:db8::/64 was not locked\n"
    assert accounts.sign_in(store, "Ada", "long secret words", "2001:db8::/64") is not None
    for wrong in ("office", "office/24", "/", ""):
        assert "expected one like" in unlock("--address", wrong).stderr
    assert unlock().exit_code == unlock("Ada", "--address", "192.0.2.1").exit_code == 2
    store.close()


def test_a_new_password_is_taken(database: str) -> None:
    """From standard input as well."""
    botkit("user", "add", "Ada", "--password-stdin", "--database", database, stdin="long secret words\n")
    done = botkit("user", "password", "Ada", "--password-stdin", "--database", database, stdin="other secret words\n")
    assert (done.exit_code, done.stdout) == (0, "Ada has a new password\n")
    store = Store(database)
    assert accounts.authenticate(store, "Ada", "other secret words") is not None
    assert accounts.authenticate(store, "Ada", "long secret words") is None
    store.close()


def test_an_account_is_changed_from_the_command_line(database: str) -> None:
    """Role, closing and opening, tokens, guesses, a second factor that was lost; the audit log says who it was."""

    def user(*arguments: str) -> str:
        done = botkit("user", *arguments, "--database", database)
        assert done.exit_code == 0, done.output
        return done.stdout

    match = re.fullmatch(r"added Ada \(agent\)\npassword: ([a-z0-9-]{23})\n", user("add", "Ada", "--temporary"))
    assert match is not None
    assert user("list") == "Ada\tagent  temporary password\n"
    reset = re.fullmatch(r"Ada has a new password: ([a-z0-9-]{23})\n", user("password", "Ada", "--temporary"))
    assert reset is not None
    store = Store(database)
    assert accounts.authenticate(store, "Ada", match[1]) is None
    ada = accounts.authenticate(store, "Ada", reset[1])
    assert ada is not None
    assert user("role", "ada", "admin") == "ada is admin\n"
    user("token", "Ada")
    assert user("revoke", "Ada") == "1 tokens of Ada are revoked\n"
    user("disable", "Ada")
    assert user("enable", "Ada") == "Ada is enabled\n"
    for _ in range(5):
        accounts.sign_in(store, "Ada", "wrong", "192.0.2.1")
    listed = re.fullmatch(r"Ada\tadmin  locked for (\d+) s  temporary password\n", user("list"))
    assert listed is not None
    assert 0 < int(listed[1]) <= 60
    assert (user("unlock", "Ada"), user("unlock", "Ada")) == ("Ada is unlocked\n", "Ada was not locked\n")
    phone = pyotp.TOTP(accounts.begin_factor(store, ada))
    assert accounts.confirm_factor(store, ada, phone.at(store.now()))
    assert user("second-factor", "Ada") == "the second factor of Ada is on\n"
    assert user("second-factor", "Ada", "--off") == "the second factor of Ada is off\n"
    lines = accounts.audited(store, actor=accounts.CONSOLE)
    assert [line.action for line in reversed(lines)] == [
        "account.added",
        "account.password",
        "account.role",
        "token.issued",
        "token.revoked",
        "account.disabled",
        "account.enabled",
        "account.unlocked",
        "account.unlocked",
        "factor.off",
    ]
    store.close()


@pytest.mark.parametrize("command", ["password", "disable", "enable", "token", "revoke", "unlock", "second-factor"])
def test_an_account_that_is_not_there_is_named(command: str, database: str) -> None:
    """Whatever was to be done to it."""
    more = ["--temporary"] if command == "password" else []
    done = botkit("user", command, "Zoe", *more, "--database", database)
    assert done.exit_code == 1
    assert done.stderr == "Error: no account called 'Zoe': see the name, or add them first\n"


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999"])
@pytest.mark.parametrize(("command", "option"), [("revoke", "--token"), ("sign-out", "--session")])
def test_a_number_that_no_token_or_session_can_have_is_refused(
    command: str, option: str, number: str, database: str
) -> None:
    done = botkit("user", command, "Ada", f"{option}={number}", "--database", database)
    assert done.exit_code == 2
    assert f"Invalid value for '{option}'" in done.stderr


def test_an_export_is_in_the_audit_log(database: str) -> None:
    """What customers asked leaves the shop."""
    assert botkit("labels", "--database", database).exit_code == 0
    store = Store(database)
    (line,) = accounts.audited(store)
    assert (line.actor, line.action, line.target) == ("console", "export", "labels")
    store.close()


def test_report_prints_a_table_or_json(database: str) -> None:
    """Of an empty record too; times are checked."""
    table = botkit("report", "--database", database)
    assert table.exit_code == 0
    assert "containment" in table.stdout.lower()
    figures = botkit("report", "--database", database, "--json", "--since", "2026-11-01", "--now", "2026-11-21T08:00Z")
    assert figures.exit_code == 0
    assert isinstance(json.loads(figures.stdout), dict)
    wrong = botkit("report", "--database", database, "--since", "yesterday")
    assert wrong.exit_code == 1
    assert "--since" in wrong.stderr


def test_the_console_script_is_installed() -> None:
    """`botkit` itself, as a user types it."""
    done = subprocess.run(
        [Path(sys.executable).with_name("botkit"), "--version"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert __version__ in done.stdout
