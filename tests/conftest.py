"""What tests share: a guard that nothing leaves loopback, the default models loaded once, a fresh home, real PDFs."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from knowledge import embedders
from knowledge import weights as weight_files
from knowledge.embedders import Embedder
from tests.pdfs import make_pdf as write_pdf

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # torch's idle threads would spin beside the apps that tests start

_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0", "::ffff:127.")


def _stay_on_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook sees what no patched function can hide: every connection this process opens."""
    if event != "socket.connect":
        return
    address = arguments[1]
    if isinstance(address, tuple) and not str(address[0]).startswith(_LOOPBACK):
        raise AssertionError(f"a test tried to leave loopback: {address!r}")


sys.addaudithook(_stay_on_loopback)
# A suite that was started in the background inherits an ignored Ctrl-C, and so would the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder with the default models. They are fetched by `afina models fetch`, which `make test` runs first."""
    from assistant.service.settings import Settings

    folder = Settings().weights
    missing = [state.name for state in weight_files.states(folder) if not state.present]
    if missing:
        pytest.exit(f"The default models are missing ({', '.join(missing)}): run `afina models fetch` first.", 2)
    return folder


@pytest.fixture(scope="session")
def embedder(weights: Path) -> Embedder:
    return embedders.load("all-minilm-l6-v2", weights)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
def make_pdf(tmp_path: Path) -> Callable[..., Path]:
    """`make_pdf(pages, name="a.pdf", **options)` writes a PDF into the test's own folder."""

    def make(pages: list[str], name: str = "document.pdf", **options: Any) -> Path:
        return write_pdf(tmp_path / name, pages, **options)

    return make
