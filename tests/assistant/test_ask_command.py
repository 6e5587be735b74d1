"""Laws of `afina ask` with a tool, in real processes: what was named is done, what reaches out is asked first."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app_process import ROOT, afina, environment

# No tool reads an address of this machine: after a yes the refusal is another one, and nothing leaves it.
PAGE = ("--tool", "web_page", "--arguments", '{"url": "http://127.0.0.1:9/secret"}')
REFUSED = "only public ones are read"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    """A data folder whose tools may reach out."""
    folder = tmp_path_factory.mktemp("asking") / "home"
    assert afina(folder, "tools", "on", "web").code == 0
    return folder


def test_a_named_tool_is_called_with_what_was_given_or_with_what_the_message_says(home: Path) -> None:
    given = afina(home, "ask", "Please", "--tool", "calculator", "--arguments", '{"expression": "12 * 3"}')
    assert (given.code, "36" in given.out) == (0, True), given.err
    read = afina(home, "ask", "What is 7 * 8?", "--tool", "calculator")
    assert (read.code, "56" in read.out) == (0, True), read.err


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--tool", "calculator", "--arguments", "12 * 3"], 2, "must be a JSON object"),
        (["--tool", "calculator", "--arguments", "[1]"], 2, "must be a JSON object"),
        (["--tool", "calculator", "--arguments", "[" * 9999], 2, "must be a JSON object"),
        (["--tool", "calculator", "--arguments", "{}"], 1, "expression"),
        (["--tool", "calculator", "--arguments", '{"sum": "1"}'], 1, "sum"),
        (["--tool", "hammer"], 1, "There is no tool 'hammer'; there are calculator"),
        (["--arguments", "{}"], 1, "name the tool"),
        (["--tool", "calculator", "--route", "documents"], 1, "leave one of them out"),
    ],
    ids=["no JSON", "a list", "deep", "empty", "another field", "unknown", "no tool", "two routes"],
)
def test_a_tool_that_cannot_be_called_so_is_one_clear_sentence(
    home: Path, options: list[str], code: int, words: str
) -> None:
    done = afina(home, "ask", "Hello", *options)
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert "Traceback" not in done.err


def test_without_a_terminal_nobody_can_be_asked_and_that_is_a_no(home: Path) -> None:
    done = afina(home, "ask", "Read it", *PAGE)
    assert done.code == 1
    assert "127.0.0.1:9/secret" in done.err  # what would have been sent
    assert "--yes allows it" in done.err
    assert "the person said no" in done.err
    assert REFUSED not in done.err


def test_yes_is_said_beforehand(home: Path) -> None:
    done = afina(home, "ask", "Read it", *PAGE, "--yes")
    assert REFUSED in done.err
    assert "said no" not in done.err


@pytest.mark.parametrize(
    ("language", "typed", "allowed"),
    [("en_US.UTF-8", "y", True), ("es_ES.UTF-8", "s", True), ("en_US.UTF-8", "", False), ("es_ES.UTF-8", "no", False)],
)
def test_at_a_terminal_the_person_is_asked(home: Path, language: str, typed: str, allowed: bool) -> None:
    """Its standard input is a real terminal; what is printed there is read as the person would."""
    controller, terminal = pty.openpty()
    command = [sys.executable, "app.py", "ask", "Hello there", *PAGE, "--json"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(home, LANG=language),
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        os.close(terminal)
        os.write(controller, f"{typed}\n".encode())
        out, err = process.communicate(timeout=60)
        os.close(controller)
    assert process.returncode == 1  # the page cannot be read, or may not be
    assert "http://127.0.0.1:9/secret" in err.replace("\n", "")
    assert ('"decision": "once"' in out) is allowed
    assert ('"decision": "deny"' in out) is not allowed
