"""The app as a process: who owns a data folder, how it starts, stops and is killed; what its log may not hold."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from assistant.errors import ForOperator
from assistant.service import logs, serving
from assistant.service.lock import HomeLock, Owned, Owner, owner_of
from assistant.service.settings import Settings, explain
from tests.app_process import ROOT, afina, environment, running
from tests.pdfs import handbook

FIRST_PAGE = 5.0  # seconds at most; 3 on a quiet machine (benchmarks/startup.py measures)


def test_the_first_page_is_there_soon_and_torch_is_not(home: Path, weights: Path) -> None:
    with running(home) as app:
        assert httpx.get(app.address + "/").status_code == 200
        assert app.seconds < 2 * FIRST_PAGE  # tests share the machine
        maps = Path(f"/proc/{app.process.pid}/maps")
        if maps.exists():
            assert (home / "owner.json").exists()


def test_a_second_serve_is_refused_within_a_second_and_names_the_first(home: Path, weights: Path) -> None:
    with running(home) as app:
        seconds = []
        for _ in range(3):  # the best of three: the first app is loading its models meanwhile
            began = time.monotonic()
            second = afina(home, "serve", "--port", "0", "--no-open")
            seconds.append(time.monotonic() - began)
            assert second.code == 1
            assert str(app.process.pid) in second.err
            assert app.address in second.err
            assert "Traceback" not in second.err
        began = time.monotonic()
        afina(home, "--help")
        assert min(seconds) < 1.0 + time.monotonic() - began, "a second, and what starting Python takes"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_stops_and_leaves_the_folder_to_the_next(
    home: Path, weights: Path, how: signal.Signals
) -> None:
    with running(home) as app:
        app.stop(how)
        assert app.process.stderr is not None
        assert "Traceback" not in app.process.stderr.read()
    assert not (home / "owner.json").exists()
    assert owner_of(home) is None
    with running(home) as again:
        assert httpx.get(again.address + "/").status_code == 200


def test_killed_it_leaves_a_card_that_nobody_believes(home: Path, weights: Path) -> None:
    with running(home) as app:
        app.stop(signal.SIGKILL)
    assert (home / "owner.json").exists()
    assert owner_of(home) is None
    assert afina(home, "chats", "list").code == 0
    with running(home) as again:
        assert httpx.get(again.address + "/").status_code == 200


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_app_closes_streams_that_are_still_open_and_complains_of_none(
    home: Path, weights: Path, tmp_path: Path, how: signal.Signals
) -> None:
    file = handbook(tmp_path / "long.pdf", pages=1500)
    with (
        running(home) as app,
        httpx.Client(base_url=app.address, timeout=30) as client,
        contextlib.ExitStack() as open_,
    ):
        token = json.loads((home / "owner.json").read_text())["token"]
        verb = {"headers": {"Authorization": f"Bearer {token}"}, "json": {"paths": [str(file)]}}
        for method, path, more in (
            ("GET", "/gradio_api/heartbeat/abc", {}),
            ("POST", "/verbs/docs.add", verb),
        ):
            stream = open_.enter_context(client.stream(method, path, **more))  # type: ignore[arg-type]
            assert stream.status_code == 200
        next(stream.iter_lines())
        began = time.monotonic()
        app.stop(how)
        assert time.monotonic() - began < 10
        assert app.process.stderr is not None
        assert app.process.stderr.read() == ""
    log = (home / "log" / "afina.log").read_text()
    assert "Exception in ASGI" not in log
    assert "Traceback" not in log


def test_the_card_is_for_its_owner_alone(home: Path) -> None:
    with HomeLock(home, "serve").acquire() as lock:
        assert stat.S_IMODE((home / "owner.json").stat().st_mode) == 0o600
        lock.publish("127.0.0.1", 7860)
        owner = owner_of(home)
        assert owner is not None
        assert owner.address == "http://127.0.0.1:7860"
        assert owner.token == lock.token
        assert lock.token not in repr(owner) + str(owner) + repr(lock)


def test_one_process_owns_a_folder(home: Path) -> None:
    with HomeLock(home, "docs add").acquire():
        began = time.monotonic()
        with pytest.raises(Owned) as refused:
            HomeLock(home, "serve").acquire()
        assert time.monotonic() - began < 1
        assert str(os.getpid()) in str(refused.value)
        assert "docs add" in str(refused.value)
    HomeLock(home, "serve").acquire().release()


@pytest.mark.parametrize("card", ["", "{", "[]", '{"pid": 1}', json.dumps({"pid": "x" * 100_000})])
def test_a_torn_card_is_no_card(home: Path, card: str) -> None:
    home.mkdir()
    (home / "owner.json").write_text(card)
    assert owner_of(home) is None
    with HomeLock(home, "serve").acquire():
        assert owner_of(home) is not None


def test_many_who_look_at_once_do_not_take_each_other_for_the_owner(home: Path) -> None:
    """A dead owner's card is believed by none of them; a living one's by all."""
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    card = {
        "pid": dead.pid,
        "command": "serve",
        "host": "127.0.0.1",
        "port": 1,
        "token": "x",
        "started": "2026-01-01T00:00:00Z",
    }
    home.mkdir()
    (home / "owner.lock").touch()
    (home / "owner.json").write_text(json.dumps(card))
    assert set(_looks(home)) == {"None"}
    with HomeLock(home, "docs add").acquire():
        assert set(_looks(home)) == {str(os.getpid())}
    assert set(_looks(home)) == {"None"}


def test_those_who_look_keep_nobody_from_taking(home: Path) -> None:
    looking = threading.Event()
    seen: list[object] = []

    def look() -> None:
        while not looking.is_set():
            seen.append(owner_of(home))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100):
            HomeLock(home, "docs add").acquire().release()
    finally:
        looking.set()
        for thread in threads:
            thread.join()
    assert {owner.pid for owner in seen if isinstance(owner, Owner)} <= {os.getpid()}


def test_another_process_with_the_number_of_a_dead_owner_is_not_it(home: Path) -> None:
    with HomeLock(home, "serve").acquire():
        card = json.loads((home / "owner.json").read_text())
        assert owner_of(home) is not None
        if sys.platform == "linux":
            (home / "owner.json").write_text(json.dumps({**card, "born": card["born"] - 1}))
            with pytest.raises(Owned, match="Another process"):
                owner_of(home)


def _looks(home: Path, processes: int = 4, threads: int = 5, each: int = 15) -> list[str]:
    """The pid (or None) that each of many looks at the same time gave."""
    code = (
        "import sys, threading, pathlib; from assistant.service.lock import owner_of\n"
        "home, found = pathlib.Path(sys.argv[1]), []\n"
        "def look():\n"
        f"    for _ in range({each}):\n"
        "        try: found.append(str(getattr(owner_of(home), 'pid', None)))\n"
        "        except Exception as error: found.append(repr(error))\n"
        f"ts = [threading.Thread(target=look) for _ in range({threads})]\n"
        "sys.stdin.readline(); [t.start() for t in ts]; [t.join() for t in ts]; print('\\n'.join(found))"
    )
    command = [sys.executable, "-c", code, str(home)]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    time.sleep(1.5)  # until all of them have imported what they need
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    found = [line for process in running for line in process.communicate(timeout=60)[0].split("\n") if line]
    assert len(found) == processes * threads * each
    return found


def test_looking_makes_no_folder(home: Path) -> None:
    assert owner_of(home) is None
    assert not home.exists()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ForOperator, match="--home"):
        HomeLock(tmp_path / "file" / "home", "serve").acquire()


def test_a_taken_port_names_who_has_it_and_suggests_another(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = afina(home, "serve", "--port", str(port), "--no-open")
    assert done.code == 1
    assert f"--port {port + 1}" in done.err
    if sys.platform == "linux":
        assert f"process {os.getpid()}" in done.err
    assert "Traceback" not in done.err


def test_no_browser_where_nobody_sits() -> None:
    assert not serving.open_browser("http://127.0.0.1:1/", {"CI": "1", "DISPLAY": ":0"})
    assert not serving.open_browser("http://127.0.0.1:1/", {"SSH_TTY": "/dev/pts/0", "DISPLAY": ":0"})
    if sys.platform == "linux":
        assert not serving.open_browser("http://127.0.0.1:1/", {})


def test_settings_come_from_the_environment_then_from_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(
        "AFINA_PORT=8001\nAFINA_HOST=localhost\nUNRELATED=1\nOPENAI_API_KEY=sk-from-dotenv\n"
    )
    monkeypatch.setenv("AFINA_PORT", "8002")
    monkeypatch.setenv("AFINA_HOSTS", "a.example, b.example")
    settings = Settings(home=Path("here"))
    assert (settings.port, settings.host, settings.loopback) == (8002, "localhost", True)
    assert settings.hosts == ("a.example", "b.example")
    assert settings.home == tmp_path / "here"
    assert settings.openai_api_key == SecretStr("sk-from-dotenv")
    assert "sk-from-dotenv" not in repr(settings) + settings.model_dump_json()


def test_a_misspelt_setting_in_dotenv_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("AFINA_PROT=8001\n")
    with pytest.raises(ValidationError) as wrong:
        Settings()
    assert "AFINA_PROT: is not a setting." in explain(wrong.value)


def test_defaults_are_the_users_own_folders_and_this_machine_only(tmp_path: Path) -> None:
    code = (
        "from assistant.service.settings import Settings\n"
        "s = Settings(); print(s.home, s.weights, s.host, s.port, s.loopback)"
    )
    given = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=given, capture_output=True, text=True, timeout=30, check=True
    )
    home, weights, *rest = result.stdout.split()
    assert home.startswith(str(tmp_path))
    assert weights.startswith(str(tmp_path))
    assert rest == ["127.0.0.1", "7860", "True"]
    assert list(tmp_path.iterdir()) == []


def test_secrets_are_masked_in_the_log_by_value_and_by_shape(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers = logs.begin(tmp_path, "debug", ["very-secret-word"])
    log = logging.getLogger("test")
    try:
        log.warning("the key is %s", "very-secret-word")
        log.warning("Authorization: Bearer abcdefghijkl and api_key='hush-hush' in postgresql://ana:pass1234@db/x")
        log.warning("sk-proj-AAAABBBBCCCCDDDD hf_ABCDEFGHIJKLMNOP")
        try:
            raise RuntimeError("in a traceback: very-secret-word")
        except RuntimeError:
            log.exception("failed")
    finally:
        logs.end(handlers)
    text = (tmp_path / "afina.log").read_text() + capsys.readouterr().err
    assert "failed" in text
    assert "in a traceback: ***" in text
    for secret in ("very-secret-word", "abcdefghijkl", "hush-hush", "pass1234", "AAAABBBB", "ABCDEFGH"):
        assert secret not in text


def test_the_running_apps_log_holds_no_token_and_no_question(home: Path, weights: Path) -> None:
    with running(home, AFINA_LOG="debug", OPENAI_API_KEY="sk-the-key-of-the-house") as app:
        token = json.loads((home / "owner.json").read_text())["token"]
        httpx.post(app.address + "/verbs/docs.list", headers={"Authorization": f"Bearer {token}"}, json={})
        httpx.get(app.address + "/", headers={"Host": "evil.example"})
        app.stop()
        assert app.process.stderr is not None
        heard = app.process.stderr.read()
    text = (home / "log" / "afina.log").read_text() + heard
    assert "serving" in text
    assert token not in text
    assert "sk-the-key-of-the-house" not in text


def test_the_browser_is_not_asked_for_where_the_environment_says_ci(home: Path) -> None:
    assert environment(home)["CI"] == "1"
