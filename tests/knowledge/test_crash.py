"""kill -9 at any moment of bringing a document in: the next start finishes it, and it is as if nothing had happened."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.embedders import Embedder
from knowledge.library import Library
from knowledge.store.database import connect
from knowledge.store.documents import DocumentStore
from knowledge.values import Status
from tests.pdfs import handbook

pytestmark = pytest.mark.model

_INGEST = """
import sys
from pathlib import Path
from knowledge import embedders
from knowledge.library import Library
from knowledge.store.database import connect

home, path, weights = map(Path, sys.argv[1:4])
home.mkdir(exist_ok=True)
engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")
library = Library.open(home, engine, lambda: embedders.load("all-minilm-l6-v2", weights))
for step in library.add(path):
    print(step.status.value, step.pages_ready, flush=True)
"""


def _state(home: Path, embedder: Embedder, resume: bool) -> object:
    """Everything that matters of a library, without the ids of chunks."""
    engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")
    library = Library.open(home, engine, lambda: embedder)
    if resume:
        assert [step.status for step in library.resume() if step.status.final] == [Status.READY]
    assert library.check() == []
    (document,) = library.documents()
    store = DocumentStore(engine)
    hits = [(p.page, p.start, round(p.score, 4)) for p in library.search("How many wind turbines are there?", k=20)]
    chunks = [(chunk.page, chunk.start, chunk.text) for chunk in store.chunks(document.id)]
    pages = [page.text for page in store.pages(document.id)]
    files = sorted(path.name for path in (home / "files").iterdir())
    state = (document.sha256, document.status, document.pages_ready, document.language, pages, chunks, hits, files)
    library.close()
    engine.dispose()
    return state


@pytest.mark.slow
@pytest.mark.parametrize("when", ["queued", "reading 0", "first pages", "later pages"])
def test_resuming_after_a_kill_gives_what_an_undisturbed_ingest_gives(
    when: str, tmp_path: Path, weights: Path, embedder: Embedder
) -> None:
    path = handbook(tmp_path / "handbook.pdf", pages=150)
    killed, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    reached: dict[str, Callable[[str, int], bool]] = {
        "queued": lambda status, pages: status == "queued",
        "reading 0": lambda status, pages: status == "reading",
        "first pages": lambda status, pages: pages > 0,
        "later pages": lambda status, pages: pages > 70,
    }
    command = [sys.executable, "-c", _INGEST, str(killed), str(path), str(weights)]
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root, env=os.environ.copy()) as process:
        assert process.stdout is not None
        second = False
        for line in process.stdout:
            status, pages = line.split()
            # the very first line comes before a byte is stored: wait for the next one
            if second and reached[when](status, int(pages)):
                break
            second = True
        process.kill()
    library = Library.open(undisturbed, connect(f"sqlite:///{undisturbed / 'afina.sqlite3'}"), lambda: embedder)
    *_, final = library.add(path)
    assert final.status is Status.READY
    library.close()
    library._shelf.store._engine.dispose()
    assert _state(killed, embedder, resume=True) == _state(undisturbed, embedder, resume=False)


def test_a_closed_library_leaves_its_work_for_the_next_start(tmp_path: Path, embedder: Embedder, home: Path) -> None:
    path = handbook(tmp_path / "handbook.pdf", pages=150)
    home.mkdir()
    engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")
    library = Library.open(home, engine, lambda: embedder)
    for step in library.add(path):
        if step.pages_ready:
            break
    library.close()
    assert not library.documents()[0].status.final
    engine.dispose()
    assert _state(home, embedder, resume=True)
