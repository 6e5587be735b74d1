"""Secrets: the environment wins, the file is the owner's alone, nothing shows them."""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
from pathlib import Path

import pytest

from assistant.errors import ForOperator, ForPerson
from assistant.models.keys import PROVIDERS, Keys, masked
from assistant.service import logs
from assistant.service.parts import Parts
from assistant.service.settings import Settings

SECRET = "sk-proj-abcdefghijklmnop4f2a"
OTHER = "sk-other-ponmlkjihgfedcba9e1b"


def test_a_key_is_kept_in_a_file_that_only_its_owner_reads(home: Path) -> None:
    old = os.umask(0)
    try:
        Keys(home).set("openai", f"  {SECRET}\n")
    finally:
        os.umask(old)
    file = home / "keys.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert [path.name for path in home.iterdir()] == ["keys.json"]
    assert Keys(home).get("openai") == SECRET
    Keys(home).forget("openai")
    assert Keys(home).get("openai") is None
    assert SECRET not in file.read_text()


def test_making_keys_and_asking_for_one_touches_no_disk(home: Path) -> None:
    keys = Keys(home, {"openai": SECRET})
    assert keys.get("openai") == SECRET
    assert keys.get("brave") is None
    assert keys.get("brave", "x") == "x"
    assert keys.listed() == [{"provider": "openai", "source": "environment", "masked": "sk-…4f2a"}]
    assert not home.exists()


def test_the_environment_wins_and_says_so(home: Path) -> None:
    Keys(home).set("openai", OTHER)
    keys = Keys(home, {"openai": SECRET, "tavily": ""})
    assert keys.get("openai") == SECRET
    assert [(row["provider"], row["source"]) for row in keys.listed()] == [("openai", "environment")]
    for change in (lambda: keys.set("openai", OTHER), lambda: keys.forget("openai")):
        with pytest.raises(ForPerson, match="OPENAI_API_KEY") as raised:
            change()
        assert "entorno" in raised.value.said("es")
    assert Keys(home).get("openai") == OTHER, "what the page stored is still there when the variable goes"


def test_a_server_gets_its_own_key_else_the_one_for_any_server(home: Path) -> None:
    keys = Keys(home)
    keys.set("http://Box:8000/v1/", SECRET)
    for spelling in ("http://box:8000/v1", "HTTP://box:8000/v1/", "http://box:8000/v1#llama", "http://me@box:8000/v1"):
        assert keys.get(spelling) == SECRET
    assert keys.get("http://other:8000/v1") is None
    keys.set("http", OTHER)
    assert keys.get("http://other:8000/v1") == OTHER
    assert keys.get("http://box:8000/v1") == SECRET
    assert keys.get("openai") is None, "a server's key goes to no other provider"


@pytest.mark.parametrize("secret", ["", "   ", "two words", "line\nbreak: header", "clé", "x\0y", "a" * 10_000])
def test_what_cannot_be_a_key_is_refused_without_being_shown(home: Path, secret: str) -> None:
    with pytest.raises(ForPerson) as raised:
        Keys(home).set("openai", secret)
    for sentence in (str(raised.value), raised.value.said("es")):
        assert not secret.strip() or secret.strip() not in sentence
    assert not home.exists()


def test_an_unknown_provider_is_answered_with_the_known_ones(home: Path) -> None:
    with pytest.raises(ForPerson, match=", ".join(PROVIDERS)):
        Keys(home).set("oepnai", SECRET)
    with pytest.raises(ForPerson):
        Keys(home).set("file:///etc", SECRET)


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        (SECRET, "sk-…4f2a"),
        ("hf_ABCDEFGHIJKLMNOP", "hf_…MNOP"),
        ("0123456789abcdef", "…cdef"),
        ("0123456789abcde", "…"),
        ("short", "…"),
        ("", "…"),
    ],
)
def test_a_mask_shows_whose_key_it_is_and_never_more_than_four_letters_of_it(secret: str, shown: str) -> None:
    assert masked(secret) == shown


def test_no_repr_and_no_list_shows_a_secret(home: Path) -> None:
    keys = Keys(home, {"brave": OTHER})
    keys.set("openai", SECRET)
    text = f"{keys!r} {keys} {keys.listed()} {Keys(home)!r}"
    assert "sk-…4f2a" in text
    for secret in (SECRET, OTHER):
        assert secret not in text
        assert secret[4:-5] not in text


def test_a_file_that_others_can_read_is_mended(home: Path) -> None:
    Keys(home).set("openai", SECRET)
    (home / "keys.json").chmod(0o644)
    assert Keys(home).get("openai") == SECRET
    assert stat.S_IMODE((home / "keys.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("how", ["link", "folder", "nonsense", "other"])
def test_a_file_that_is_none_of_ours_is_refused_in_two_languages_and_not_written_over(home: Path, how: str) -> None:
    home.mkdir()
    file = home / "keys.json"
    if how == "link":
        (home / "elsewhere").write_text(json.dumps({"format": "afina-keys/1", "keys": {"openai": SECRET}}))
        file.symlink_to(home / "elsewhere")
    elif how == "folder":
        file.mkdir()
    else:
        file.write_text("{" + SECRET if how == "nonsense" else json.dumps({"openai": SECRET}))
    before = None if how == "folder" else file.read_text()
    keys = Keys(home)
    for act in (lambda: keys.get("openai"), keys.listed, lambda: keys.set("brave", OTHER)):
        with pytest.raises(ForOperator, match=r"keys\.json") as raised:
            act()
        assert raised.value.__cause__ is None
        assert raised.value.said("es") != str(raised.value)
        assert SECRET not in str(raised.value)
    assert Keys(home, {"openai": OTHER}).get("openai") == OTHER, "the environment's keys go on working"
    if before is not None:
        assert file.read_text() == before


def test_a_folder_that_cannot_be_written_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ForOperator, match="cannot be read"):
        Keys(tmp_path / "file").set("openai", SECRET)


def test_keys_set_at_once_are_all_kept(home: Path) -> None:
    keys = Keys(home)
    names = [f"http://host{number}/v1" for number in range(20)]
    threads = [threading.Thread(target=keys.set, args=(name, f"{SECRET}{name[11:13]}")) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {row["provider"] for row in Keys(home).listed()} == set(names)


def test_settings_hand_over_what_environment_and_env_file_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROVIDERS.values(), "GOOGLE_API_KEY", *(f"AFINA_{name}" for name in PROVIDERS.values())):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("AFINA_SERVER_API_KEY", "server")
    file = tmp_path / ".env"
    file.write_text("GOOGLE_API_KEY=google\nBRAVE_API_KEY=brave\nAFINA_TAVILY_API_KEY=tavily\nHF_TOKEN=hub\nOTHER=1\n")
    settings = Settings(home=tmp_path / "home", _env_file=file)
    assert settings.provider_keys == {
        "openai": SECRET,
        "http": "server",
        "vertex": "google",
        "brave": "brave",
        "tavily": "tavily",
        "hf": "hub",
    }
    assert set(settings.provider_keys.values()) <= set(settings.secrets())
    for secret in settings.secrets():
        assert f"'{secret}'" not in repr(settings)
    assert Parts(settings).keys.get("tavily") == "tavily"


def test_a_log_shows_no_key_that_was_entered_after_it_began_nor_one_that_was_replaced(tmp_path: Path) -> None:
    parts = Parts(Settings(home=tmp_path / "home", _env_file=None))
    handlers = logs.begin(tmp_path / "log", "info", parts.secrets, terminal=False)
    log = logging.getLogger("test")
    first, second = "first-key-without-a-known-shape", "second-key-without-a-known-shape"
    try:
        parts.keys.set("brave", first)
        parts.keys.set("brave", second)
        log.info("one %s two %s", first, second)
        parts.close()
        raise RuntimeError(first)
    except RuntimeError:
        log.exception("failed")
    finally:
        logs.end(handlers)
    text = (tmp_path / "log" / "afina.log").read_text()
    assert "one *** two ***" in text
    assert first not in text
    assert second not in text


def test_a_log_shows_no_key_of_the_apps_own_door(tmp_path: Path) -> None:
    """Only its hash is kept, so it cannot be known by value: its shape gives it away."""
    parts = Parts(Settings(home=tmp_path / "home", _env_file=None))
    (tmp_path / "home").mkdir()
    key = parts.api_key.make()
    parts.close()
    assert key not in logs.Masked("").mask(f"a key {key} in a line")
