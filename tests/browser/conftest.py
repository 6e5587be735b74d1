"""A real Chromium on the real app: one process for the session, its data folder seeded with one stranger's answer."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.pdfs import handbook

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, str(ROOT / "app.py")]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = """A picture ![pixel](http://pixel.invalid/a.png)
and <img src="http://pixel.invalid/b.png" onerror="window.hit=1">
<script>window.hit=1</script><iframe src="http://pixel.invalid/c"></iframe>
<link rel="stylesheet" href="//pixel.invalid/d.css"><style>@import url(http://pixel.invalid/g);</style>
<svg onload="window.hit=1"><image href="http://pixel.invalid/e.png"/></svg> ![ref][r] [run](javascript:window.hit=1)
[data](data:text/html,<script>1</script>) [out](https://pixel.invalid/f)
<video src="http://pixel.invalid/h"></video> ![x](//pixel.invalid/i.png "t") <http://pixel.invalid/j>

[r]: http://pixel.invalid/k.png
"""
DROP = """([place, files]) => {
  const transfer = new DataTransfer();
  for (const [name, type, content] of files)
    transfer.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name, { type }));
  for (const event of ["dragenter", "dragover", "drop"])
    document.querySelector(place).dispatchEvent(
      new DragEvent(event, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


@dataclass
class App:
    url: str
    hostile: int = 0  # a conversation whose answer was written by nobody's friend


@dataclass
class Seen:
    """What a browser context did: every address it asked for, every error a script made."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _seed(home: Path) -> int:
    """A conversation with a hostile answer, written the way the app writes."""
    from assistant.history import History
    from knowledge.store.database import connect

    home.mkdir(parents=True)
    engine = connect(f"sqlite:///{(home / 'afina.sqlite3').as_posix()}")
    history = History(engine)
    conversation = history.create().id
    question = history.ask(conversation, "What does the stranger say? <b>&", None)
    history.finish(history.begin(conversation, question.id).id, text=HOSTILE, draft=HOSTILE + " ")
    engine.dispose()
    return conversation


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[App]:
    home = tmp_path_factory.mktemp("browser") / "home"
    hostile = _seed(home)
    with serving(home, AFINA_WEIGHTS=str(weights)) as url:
        yield App(url, hostile)


@contextmanager
def serving(home: Path, **settings: str) -> Iterator[str]:
    """The app on `home`, in a process of its own; its address."""
    port = _free_port()
    environment = {**os.environ, "AFINA_HOME": str(home), "AFINA_LOG": "info", **settings}
    log = (home.parent / "app.log").open("wb")
    command = [*COMMAND, "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}/"
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert process.poll() is None, (home.parent / "app.log").read_text()
            with suppress(URLError, OSError), urlopen(url, timeout=2):
                break
            time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have a Chromium: without one none of these laws is tested")
        pytest.skip("no Chromium on this machine: install one to run the browser tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


Opener = Callable[..., Page]


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def open_page(app: App, chromium: Browser, seen: Seen) -> Iterator[Opener]:
    """`open_page(path="", **context options)`: a page in a context of its own (its own cookies and storage), ready."""
    contexts: list[BrowserContext] = []

    def opened(path: str = "", *, context: BrowserContext | None = None, **options: Any) -> Page:
        if context is None:
            options.setdefault("locale", "en-US")
            context = chromium.new_context(viewport=options.pop("viewport", {"width": 1280, "height": 820}), **options)
            context.set_default_timeout(30_000)
            context.on("request", lambda request: seen.requests.append(request.url))
            context.on("weberror", lambda error: seen.errors.append(str(error.error)))
            contexts.append(context)
        page = context.new_page()
        page.goto(app.url + path)
        page.wait_for_selector(".afina[data-ready=yes]")
        return page

    yield opened
    for context in contexts:
        context.close()


def drop(page: Page, *files: Path, place: str = ".chat") -> None:
    """Drop files on the page, the way a person's hand does: as a DataTransfer."""
    given = [(f.name, _type(f), base64.b64encode(f.read_bytes()).decode()) for f in files]
    page.evaluate(DROP, [place, given])


def _type(file: Path) -> str:
    return {".pdf": "application/pdf", ".md": "text/markdown"}.get(file.suffix, "text/plain")


def ask(page: Page, question: str) -> None:
    page.fill("#composer-text", question)
    page.keyboard.press("Enter")


def answered(page: Page) -> None:
    """The newest answer is finished."""
    page.wait_for_selector("article.answer:last-of-type[data-status=complete]", timeout=90_000)


def told(page: Page, question: str) -> Locator:
    """Ask in a chat that may have answers already; the new one, finished."""
    before = page.locator("article.question").count()
    ask(page, question)
    expect(page.locator("article.question")).to_have_count(before + 1)
    return newest(page)


def newest(page: Page) -> Locator:
    answer = page.locator("article.message").last
    expect(answer).to_have_attribute("data-status", "complete", timeout=90_000)
    return answer


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return handbook(tmp_path_factory.mktemp("book") / "handbook.pdf")
