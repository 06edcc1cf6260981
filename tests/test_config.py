"""Settings: defaults, the file, the environment, the command line, in that order; each known and documented."""

import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit import config
from botkit.config import ConfigError, Settings

DOCUMENT = Path(__file__).parent.parent / "docs/settings.md"


def test_without_anything_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, no variable."""
    monkeypatch.chdir(tmp_path)
    assert config.load(environ={"PATH": "/bin", "BOTKITTEN": "x"}) == Settings()


def test_the_environment_beats_the_file_and_an_option_beats_both(tmp_path: Path) -> None:
    """Each source overrides the one before, setting by setting; an option not given overrides nothing."""
    file = tmp_path / "my.toml"
    file.write_text('port = 1\nworkers = 1\nhost = "a"\nanswer_threshold = 1\n')
    result = config.load(file, {"BOTKIT_PORT": "2", "BOTKIT_WORKERS": "2"}, {"port": 3, "workers": None})
    assert (result.port, result.workers, result.host) == (3, 2, "a")
    assert result.answer_threshold == 1.0
    assert isinstance(result.answer_threshold, float)


def test_botkit_toml_is_read_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It need not be named; a file that is named must be there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "botkit.toml").write_text("port = 9\n")
    assert config.load(environ={}).port == 9
    with pytest.raises(ConfigError, match=r"nothing\.toml"):
        config.load(tmp_path / "nothing.toml", {})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"prot = 1\n", "unknown setting `prot`. Did you mean `port`?"),
        (b"zzzz = 1\n", "Known settings: index, database"),
        (b'port = "eighty"\n', "`port` must be a int, not 'eighty'|`port` must be an integer"),
        (b"port = true\n", "`port` must be"),
        (b"port = [1]\n", "`port` must be"),
        (b"[port]\nx = 1\n", "`port` must be"),
        (b"port = \n", "Write lines like `port = 8000`"),
        (b"\xff\n", "Write lines like"),
    ],
)
def test_what_does_not_fit_is_named_with_the_cure(content: bytes, said: str, tmp_path: Path) -> None:
    """The file, the setting, and what to write instead."""
    file = tmp_path / "botkit.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        config.load(file, {})
    assert re.search(said.replace("?", r"\?"), str(caught.value))
    assert str(file) in str(caught.value)


def test_a_wrong_variable_is_named() -> None:
    """So that one finds it."""
    with pytest.raises(ConfigError, match="environment variable BOTKIT_PORT"):
        config.load(environ={"BOTKIT_PORT": "x"})
    with pytest.raises(ConfigError, match=r"environment variable BOTKIT_DATABSE.*Did you mean `database`"):
        config.load(environ={"BOTKIT_DATABSE": "x"})


@given(st.sampled_from([f.name for f in fields(Settings)]), st.text(max_size=20))
def test_any_value_is_taken_in_its_kind_or_refused(name: str, value: str) -> None:
    """A setting never has a value of another kind than its default's."""
    try:
        result = getattr(config.load(environ={f"BOTKIT_{name.upper()}": value}), name)
    except ConfigError:
        result = None
    default = next(f.default for f in fields(Settings) if f.name == name)
    assert result is None or type(result) is type(default)
    assert result is not None or not isinstance(default, str) or "\0" in value


def test_settings_are_a_value() -> None:
    """Nobody changes one while a server runs."""
    with pytest.raises(FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


def test_every_setting_is_documented() -> None:
    """Its name, its default, what it means and its variable stand in docs/settings.md, in the table's order."""
    rows = re.findall(
        r"^\| `(\w+)` \| (.+?) \| (.+?) \| `(\w+)` \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE
    )
    expected = [
        (f.name, f"`{f.default}`" if f.default != "" else "empty", f.metadata["help"], f"BOTKIT_{f.name.upper()}")
        for f in fields(Settings)
    ]
    assert rows == expected
