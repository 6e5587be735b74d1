"""In: a folder or a ZIP from elsewhere, a persona's name. Out: that persona with the model in it, its lineage says so.

A PEFT adapter or a whole model. All of it is checked before anything loads (tuning.training.foreign, whole.py); only
files that a model needs are copied, into the data folder, in one rename. Where something is wrong nothing is written.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.models.local.hf import DEFAULT_MODEL, DEFAULT_WEIGHTS
from assistant.models.local.loading import DEFAULT
from assistant.personas import Lineage, Stored, handle
from assistant.personas.files import checked
from tuning.errors import ForPerson
from tuning.exporting.export import KEPT
from tuning.exporting.stage import room, staged
from tuning.exporting.whole import Model, check_model, vocabulary
from tuning.exporting.zipped import unpacked
from tuning.jobs.published import Published
from tuning.jobs.publishing import PUBLISHED
from tuning.training import bases
from tuning.training.bases import Base
from tuning.training.foreign import Checked, Wrong, check_adapter, object_of, refused

Row = dict[str, Any]
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
_PIECE = 8 << 20  # bytes copied between two looks at `stop`


def arrive(
    path: Path, name: str, published: Published, home: Path, weights: Path,
    *, base: str = "", called: str = "", stop: threading.Event | None = None,
) -> Iterator[Row | Stored]:  # fmt: skip
    """{what, done, of} as it goes, last the persona; nothing is there once `stop` was set.

    `base`: what an adapter was trained on, where its own word for it means nothing here; `called`: what an upload was
    called. ForPerson says what is wrong."""
    stop, path = stop or threading.Event(), path.expanduser().absolute()
    checked({"name": name})
    into = home / PUBLISHED
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".arriving-", dir=into) as scratch:
        folder = path
        if not path.is_dir():
            yield from unpacked(path, Path(scratch) / _stem(called or path.name), stop)
            folder = Path(scratch) / _stem(called or path.name)
        if stop.is_set():
            return
        folder = _inside(folder)
        adapter = (folder / "adapter_config.json").is_file()
        under = bases.find(base or _base(folder), weights) if adapter else None
        found = yield from _checked(folder, under, stop)
        if found is None:
            return
        place = _free(into, f"imported-{handle(name)}")
        yield from _copied(folder, place, under, stop)
        if stop.is_set():
            return
    yield _persona(published, name, folder.name, place, under, found)


def _stem(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", Path(name).stem)[:60].strip(".-") or "model"


def _inside(folder: Path) -> Path:
    """The folder itself, or the only one in it."""
    for place in (folder, *(one for one in folder.iterdir() if one.is_dir())):
        if (place / "adapter_config.json").is_file() or (place / "config.json").is_file():
            return place
    why = "it has neither adapter_config.json nor config.json", "no tiene adapter_config.json ni config.json"
    raise refused(folder, *why, whole=True)


def _base(folder: Path) -> str:
    """What an adapter says of its base, as this app names models."""
    try:
        named = str(object_of(folder / "adapter_config.json").get("base_model_name_or_path") or "")
    except Wrong as error:
        raise refused(folder, str(error), error.spanish) from None
    if named == DEFAULT_MODEL or DEFAULT_WEIGHTS in Path(named).parts:
        return DEFAULT
    if (Path(named).is_absolute() and Path(named).is_dir()) or _REPOSITORY.fullmatch(named):
        return f"hf:{named}"
    said = f"it was trained on {named[:200]}, which is not here" if named else "it does not say what it was trained on"
    spanish = f"se entrenó sobre {named[:200]}, que no está aquí" if named else "no dice sobre qué se entrenó"
    raise ForPerson(
        f"The adapter {folder.name} is not loaded: {said}. Name its base: --base hf:FOLDER.",
        spanish=f"El adaptador {folder.name} no se carga: {spanish}. Indica su base: --base hf:CARPETA.",
    )


def _checked(folder: Path, base: Base | None, stop: threading.Event) -> Generator[Row, None, Checked | Model | None]:
    """None once `stop` was set."""
    if base is not None:
        yield {"what": "check", "done": 0, "of": 1}
        found = check_adapter(folder, base.folder, base.name)
        _same_words(folder, base)
        return found
    for one in check_model(folder, stop):
        if isinstance(one, Model):
            return one
        yield {"what": "check", "done": one[0], "of": one[1]}
    return None


def _same_words(folder: Path, base: Base) -> None:
    """An adapter's tokenizer is its base's: the same tokens under the same numbers."""
    if not (folder / "tokenizer.json").is_file():
        return
    with tempfile.TemporaryDirectory() as scratch:
        base.counter.save(Path(scratch) / "tokenizer.json")  # type: ignore[attr-defined]  # of the model's own tokenizer
        try:
            mine, theirs = vocabulary(folder), vocabulary(Path(scratch))
        except Wrong as error:
            raise refused(folder, str(error), error.spanish) from None
    if mine != theirs:
        odd = next(iter(sorted(set(mine.items()) ^ set(theirs.items()))))[0]
        raise refused(
            folder,
            f"its tokenizer is not that of its base ({len(mine):,} and {len(theirs):,} tokens; {odd[:40]!r} differs)",
            f"su tokenizador no es el de su base ({len(mine)} y {len(theirs)} tokens; {odd[:40]!r} difiere)",
        )


def _free(into: Path, name: str) -> Path:
    return next(place for at in range(1, 10**6) if not (place := into / f"{name}-{at}").exists())


def _copied(folder: Path, place: Path, base: Base | None, stop: threading.Event) -> Iterator[Row]:
    """Whole or not at all. What an adapter came without, its base's tokenizer and template, is put beside it."""
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and file.suffix in KEPT]
    total, done = sum(file.stat().st_size for file in files), 0
    room(place, total)
    try:
        with staged(place) as stage:
            for file in files:
                with file.open("rb") as source, (stage / file.name).open("wb") as target:
                    while piece := source.read(_PIECE):
                        if stop.is_set():
                            raise _Stopped
                        target.write(piece)
                        done += len(piece)
                        yield {"what": "copy", "done": done, "of": total}
            if base is not None:
                _complete(stage, base)
    except _Stopped:
        return


def _complete(stage: Path, base: Base) -> None:
    if not (stage / "tokenizer.json").is_file():
        base.counter.save(stage / "tokenizer.json")  # type: ignore[attr-defined]  # of the model's own tokenizer
        if (base.folder / "tokenizer_config.json").is_file():
            shutil.copyfile(base.folder / "tokenizer_config.json", stage / "tokenizer_config.json")
    if not (stage / "chat_template.jinja").is_file() and base.template:
        (stage / "chat_template.jinja").write_text(base.template, encoding="utf-8")


def _persona(
    published: Published, name: str, source: str, place: Path, base: Base | None, found: Checked | Model
) -> Stored:
    template = place / "chat_template.jinja"
    method = found.method if isinstance(found, Checked) else found.kind
    under = base.name if base else ""
    told: Mapping[str, Any] = {"source": source[:200], "base": under, "method": method, "parameters": found.parameters}
    lineage = Lineage(
        origin="imported", source=source[:200], base=under[:200], method=method[:40],
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip
    card = {
        "picture": "📦",
        "voice": _voice(published, name),
        "model": under or f"hf:{place}",
        "adapter": str(place) if base else "",
        "template": template.read_text(encoding="utf-8") if template.is_file() else "",
        "lineage": lineage.model_dump(mode="json"),
        "examples": [],
    }
    return published.publish(name, "imported", card, told)


def _voice(published: Published, name: str) -> str:
    """One that is there keeps its own."""
    known = published.personas.named(name)
    return known.persona.voice if known else ""


class _Stopped(Exception):  # noqa: N818
    pass
