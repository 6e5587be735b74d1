"""Laws of MCP servers: real ones, over pipes and HTTP. Whatever it does is one sentence; its secrets stay hidden."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from assistant.tools import Effect, Toolbox, ToolError, UnknownTool, Work
from assistant.tools.mcp import Servers, UnknownServer
from assistant.tools.mcp_config import HIDDEN, BadConfig, read
from knowledge.store.database import connect

HERE = Path(__file__).parent.parent / "mcp_servers"
PASSWORD = "swordfish-4711"


def config(name: str, *args: str, script: str = "bad", **more: Any) -> str:
    entry = {"command": sys.executable, "args": [str(HERE / f"{script}.py"), *args], **more}
    return json.dumps({"mcpServers": {name: entry}})


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    engine = connect(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    made = Servers(engine, seconds=3)
    yield made
    made.close()
    engine.dispose()
    assert running() == []  # whatever it was, and however it was left


def running() -> list[str]:
    """Servers of ours that still run."""
    if not Path("/proc").is_dir():
        return []
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode().split("\0")
            mine = f"PPid:\t{os.getpid()}\n" in (folder / "status").read_text()
            if mine and any(str(HERE) in word for word in words):
                found.append(" ".join(words))
    return found


@pytest.fixture
def good(servers: Servers) -> Servers:
    servers.add(config("good", script="good", env={"TOKEN": PASSWORD}))
    state = servers.test("good")
    assert state.message == ""
    return servers


def call(servers: Servers, name: str, work: Work | None = None, **arguments: Any) -> str:
    tool = next(one for one in servers.tools() if one.name == name)
    return tool.run(arguments, work or Work()).text


def outcome(servers: Servers, how: str) -> str:
    """What its test says; the empty text where all went well."""
    servers.add(config(how, how))
    return servers.test(how).message


def test_a_server_is_listed_and_called(good: Servers) -> None:
    assert call(good, "good__add", a=2, b=40) == "42"
    assert good.state("good").running


def test_its_tools_ask_and_their_text_is_a_strangers(good: Servers) -> None:
    tools = {tool.name: tool for tool in good.tools()}
    assert all(tool.untrusted and tool.source == "good" for tool in tools.values())
    assert tools["good__calculator"].effect is Effect.REACHES  # "read-only" is only its word
    assert tools["good__wipe"].effect is Effect.WRITES
    assert tools["good__add"].schema()["properties"]["a"]["type"] == "integer"


def test_a_tool_with_the_name_of_ours_does_not_take_its_place(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    toolbox = Toolbox(engine)
    try:
        toolbox.mcp.add(config("good", script="good"))
        toolbox.mcp.test("good")
        names = [tool.name for tool in toolbox.tools()]
        assert len(names) == len(set(names))
        assert toolbox.get("calculator").source == ""
        toolbox.switch("good__add", False)
        with pytest.raises(UnknownTool):
            toolbox.get("good__add")
    finally:
        toolbox.close()
        engine.dispose()


def test_nothing_is_started_before_it_is_needed_and_all_of_it_ends(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    first = Servers(engine)
    first.add(config("good", script="good"))
    first.test("good")
    first.close()
    second = Servers(engine)  # as after a start of the app: the tools are known, the program does not run
    before = set(threading.enumerate())
    assert second.tools()
    assert not second.state("good").running
    assert not set(threading.enumerate()) - before
    assert call(second, "good__add", a=1, b=1) == "2"
    second.close()
    assert not set(threading.enumerate()) - before
    engine.dispose()


def test_it_gets_its_own_environment_and_none_of_ours(good: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not for you")
    good.test("good")
    names = call(good, "good__environment").split()
    assert "TOKEN" in names
    assert "PATH" in names
    assert "OPENAI_API_KEY" not in names


def test_a_secret_is_seen_nowhere(good: Servers) -> None:
    assert PASSWORD not in repr(good.all())
    assert good.state("good").config["env"] == {"TOKEN": HIDDEN}
    assert call(good, "good__secret") == f"the token is {HIDDEN}"
    assert PASSWORD in good.secrets()


def test_a_result_without_text_says_what_it_is(good: Servers) -> None:
    assert call(good, "good__picture") == "[image, image/png, 80 bytes]"


def test_what_fails_over_there_is_one_sentence_here(good: Servers) -> None:
    with pytest.raises(ToolError, match=r"^good: The server reports an error: .*the shelf is empty"):
        call(good, "good__fail")
    assert call(good, "good__add", a=1, b=2) == "3"


def test_one_that_dies_in_a_call_is_not_asked_twice_and_is_there_for_the_next(good: Servers) -> None:
    with pytest.raises(ToolError, match=r"good: The server stopped \(out of ink\)"):
        call(good, "good__die")
    assert not good.state("good").running
    assert call(good, "good__add", a=1, b=2) == "3"


def test_one_that_was_killed_is_started_anew(good: Servers) -> None:
    link = good._open["good"]
    call(good, "good__add", a=1, b=2)
    found = subprocess.run(
        ["pgrep", "-P", str(os.getpid())], capture_output=True, text=True, check=False
    ).stdout.split()
    ours = [pid for pid in found if str(HERE / "good.py") in Path(f"/proc/{pid}/cmdline").read_text()]
    assert len(ours) == 1
    os.kill(int(ours[0]), 9)
    while link.alive:
        time.sleep(0.01)
    assert call(good, "good__add", a=1, b=2) == "3"


def test_a_call_can_be_stopped(good: Servers) -> None:
    work = Work()
    threading.Timer(0.3, work.stop.set).start()
    with pytest.raises(ToolError, match="stopped"):
        call(good, "good__sleep", work, seconds=60)


def test_a_slow_answer_is_not_waited_for(good: Servers) -> None:
    with pytest.raises(ToolError, match="no answer within 3 seconds"):
        call(good, "good__sleep", seconds=60)
    assert call(good, "good__add", a=1, b=2) == "3"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("dies", r"The server stopped \(no licence: LICENCE_KEY is not set\)"),
        ("babble", "does not speak MCP .*Hello, this is line"),
        ("mute", "no answer within 1 seconds"),
        ("list", "does not speak MCP"),
        ("old", "does not speak MCP"),
    ],
)
def test_one_that_cannot_be_listed_says_why(servers: Servers, how: str, said: str) -> None:
    import re

    if how == "mute":
        servers._starting = 1
    message = outcome(servers, how)
    assert re.search(said, message), message
    assert "\n" not in message
    assert servers.state(how).spanish != message
    assert servers.tools() == []


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("hang", "no answer within 3 seconds"),
        ("flood", "sent far too much"),
        ("chatter", "sent far too much"),
        ("shape", "does not speak MCP"),
    ],
)
def test_one_that_misbehaves_in_a_call_says_so_and_the_others_go_on(servers: Servers, how: str, said: str) -> None:
    assert outcome(servers, how) == ""
    with pytest.raises(ToolError, match=said):
        call(servers, f"{how}__go", a=1)
    assert outcome(servers, "banner") == ""
    assert call(servers, "banner__go", a=1) == "went"


def test_of_too_many_tools_the_first_hundred_are_offered(servers: Servers) -> None:
    assert outcome(servers, "many") == ""
    assert len(servers.tools()) == 100
    assert servers.state("many").left_out == 400


def test_a_tool_whose_schema_no_model_can_be_given_is_left_out(servers: Servers) -> None:
    assert outcome(servers, "schemas") == ""
    assert [tool.name for tool in servers.tools()] == ["schemas__fine"]
    assert servers.state("schemas").left_out == 4


def test_a_result_longer_than_a_model_reads_is_cut(servers: Servers) -> None:
    outcome(servers, "long")
    assert len(call(servers, "long__go", a=1)) < 17_000
    outcome(servers, "empty")
    assert call(servers, "empty__go", a=1).strip()


def test_a_program_that_is_not_there_is_named(servers: Servers) -> None:
    servers.add('{"command": "no-such-program-here", "args": []}')
    assert "no-such-program-here is not on this machine" in servers.test("no-such-program-here").message


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_over_http(servers: Servers) -> None:
    port = free_port()
    process = subprocess.Popen([sys.executable, str(HERE / "good.py"), str(port)])
    try:
        servers.add(json.dumps({"web": {"url": f"http://127.0.0.1:{port}/mcp", "headers": {"X-Key": PASSWORD}}}))
        until = time.monotonic() + 30
        while (message := servers.test("web").message) and time.monotonic() < until:
            assert "could not be reached" in message
            time.sleep(0.1)
        assert message == ""
        assert call(servers, "web__add", a=20, b=22) == "42"
        assert servers.state("web").config["headers"] == {"X-Key": HIDDEN}
        process.kill()
        process.wait()
        with pytest.raises(ToolError, match=r"^web: The server could not be reached"):
            call(servers, "web__add", a=1, b=1)
    finally:
        process.kill()
        process.wait()


class _Answers:
    """An HTTP server that says one thing to everyone."""

    def __init__(self, status: str, kind: str, body: bytes) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/mcp"
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self._said = head.encode() + body
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                connection.sendall(self._said)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.mark.parametrize(
    ("status", "kind", "body", "said"),
    [
        ("401 Unauthorized", "application/json", b"{}", "refused with status 401"),
        ("500 Oh", "text/plain", b"oh", "refused with status 500"),
        ("200 OK", "text/html", b"<h1>Welcome</h1>", "does not speak MCP"),
        ("200 OK", "application/json", b"{{{", "does not speak MCP"),
    ],
)
def test_an_address_that_is_no_server_says_so(servers: Servers, status: str, kind: str, body: bytes, said: str) -> None:
    there = _Answers(status, kind, body)
    try:
        servers.add(json.dumps({"odd": {"url": there.url}}))
        assert said in servers.test("odd").message
    finally:
        there.close()


def test_removed_undone_switched(good: Servers) -> None:
    good.remove("good")
    assert good.tools() == []
    with pytest.raises(UnknownServer):
        good.state("good")
    good.restore("good")
    assert call(good, "good__add", a=1, b=2) == "3"
    good.enable("good", False)
    assert good.tools() == []
    assert not good.state("good").running


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", "{}", '{"mcpServers": {}}', '{"mcpServers": {"a": 7}}', '{"a": {"command": "x", "url": "http://y"}}',
     '{"a": {}}', '{"a": {"url": "file:///etc/passwd"}}', '{"a": {"url": "http://["}}', '{"a": {"command": ["x"]}}',
     '{"a": {"url": "http://x", "headers": {"K": "a\\nb"}}}', "[" * 100_000, " " * 200_000],
)  # fmt: skip
def test_a_config_that_is_none_is_one_sentence(text: str) -> None:
    with pytest.raises(BadConfig) as caught:
        read(text)
    assert "\n" not in str(caught.value)
    assert str(caught.value) != caught.value.said("es")


def test_a_bad_config_does_not_say_its_secrets() -> None:
    with pytest.raises(BadConfig) as caught:
        read(json.dumps({"a": {"url": "ftp://x", "headers": {"Authorization": PASSWORD}, "env": {"T": PASSWORD}}}))
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"mcpServers": {"a": {"command": "x"}, "b": {"url": "https://y/mcp", "type": "http"}}}', ["a", "b"]),
        ('{"servers": {"a b/c": {"command": "x", "disabled": false}}}', ["a-b-c"]),
        ('{"command": "npx", "args": ["-y", "@scope/server-files"]}', ["server-files"]),
        ('{"url": "https://mcp.example.org/mcp"}', ["example-org"]),
        ('{"a__b": {"command": "x", "env": {"N": 7}}}', ["a_b"]),
    ],
)
def test_the_shapes_people_have_are_read(text: str, names: list[str]) -> None:
    assert list(read(text)) == names


def test_arguments_and_addresses_hide_their_secrets_too() -> None:
    entry = read(
        json.dumps({"command": "x", "args": ["--api-key", PASSWORD, f"--token={PASSWORD}", "--dir", "/data"]})
    )["x"]
    assert PASSWORD not in json.dumps(entry.masked())
    assert PASSWORD not in repr(entry.masked())
    assert "/data" in entry.masked()["args"]
    web = read(json.dumps({"url": f"https://me:{PASSWORD}@h.org/mcp?key={PASSWORD}"}))["h-org"]
    assert PASSWORD not in json.dumps(web.masked())
    assert PASSWORD not in repr(web)
