"""In: a source, a kind, a folder that is to be. Out: that folder, whole or not at all, with a card; rows as it goes.

    adapter   what was trained, its tokenizer, its locked chat template
    merged    the base with it inside, as a folder of transformers
    gguf      the same in one file for llama.cpp, Ollama, OpenVINO; a Modelfile

What is heavy is done in a child process (child.py), which can be ended at any moment.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from tuning.errors import ForPerson
from tuning.exporting import child
from tuning.exporting.card import Exported, card, licence
from tuning.exporting.modelfile import modelfile
from tuning.exporting.source import MERGED, Source
from tuning.exporting.stage import room, size, staged

Kind = Literal["adapter", "merged", "gguf"]
KINDS: tuple[Kind, ...] = ("adapter", "merged", "gguf")
TYPES = ("f16", "q8_0")
KEPT = (".safetensors", ".json", ".jinja", ".model", ".txt")  # of what leaves, and of what comes in
_LEFT_OUT = ("afina_run.json", "README.md")
_WEIGHTS = (".safetensors", ".index.json", "adapter_config.json")
Row = dict[str, Any]


def export(
    source: Source,
    kind: Kind,
    out: Path,
    weights: Path,
    *,
    precision: str = "f16",
    stop: threading.Event | None = None,
) -> Iterator[Row]:
    """{what, done, of} as it goes, then {as, type, folder, files, bytes}; nothing is there once `stop` was set.

    ForPerson where it cannot be had in this kind, says what to do instead."""
    stop = stop or threading.Event()
    _can(source, kind, precision)
    out = out.expanduser().absolute()
    try:
        with staged(out) as stage:
            made = yield from _written(source, kind, stage, weights, precision, stop)
            if stop.is_set():
                raise _Stopped
            (stage / "README.md").write_text(card(source, made), encoding="utf-8")
    except _Stopped:
        return
    files = sorted(file.name for file in out.iterdir())
    yield {"as": kind, "type": made.type, "folder": str(out), "files": files, "bytes": size(out)}


def offered(source: Source) -> tuple[Kind, ...]:
    """The kinds that it can leave in."""
    if source.whole:
        return ("merged", "gguf")
    return KINDS if source.kind in MERGED else ("adapter",)


def _can(source: Source, kind: str, precision: str) -> None:
    if kind not in KINDS or (kind == "gguf" and precision not in TYPES):
        raise ForPerson(
            f"It is exported as {', '.join(KINDS)}, a gguf with the type {' or '.join(TYPES)}: choose one of them.",
            spanish=f"Se exporta como {', '.join(KINDS)}; un gguf, con el tipo {' o '.join(TYPES)}: elige uno.",
        )
    if kind in offered(source):
        return
    if source.whole:
        raise ForPerson(
            "This is a whole model and no adapter: export it as merged.",
            spanish="Es un modelo entero y no un adaptador: expórtalo como merged (fusionado).",
        )
    what = {"PROMPT_TUNING": ("A soft prompt", "Un prompt blando")}.get(source.kind, ("A bottleneck", "Un bottleneck"))
    raise ForPerson(
        f"{what[0]} adapter is no part of the base's weights and cannot be merged into them: export it as adapter, or "
        "train with the recipe lora.",
        spanish=f"{what[1]} no forma parte de los pesos de la base y no se puede fusionar con ellos: expórtalo como "
        "adapter o entrena con la receta lora.",
    )


def _written(
    source: Source,
    kind: Kind,
    stage: Path,
    weights: Path,
    precision: str,
    stop: threading.Event,
) -> Generator[Row, None, Exported]:
    made = Exported(kind, own=source.kind == "AFINA_BOTTLENECK")
    if kind != "gguf":
        yield from _folder(source, kind, stage, weights, stop)
        return made
    whole = source.place
    if not source.whole:
        whole = stage / ".merged"
        whole.mkdir()
        yield from _folder(source, "merged", whole, weights, stop, times=2)
    if stop.is_set():
        return made
    made = replace(made, type=precision, file=f"{source.slug}-{precision}.gguf")
    room(stage, size(whole))
    about = {"name": source.name, "licence": licence(source.base)}
    request = {"do": "gguf", "model": str(whole), "file": str(stage / made.file), "type": precision, "about": about}
    yield from ({"what": "gguf", **row} for row in child.rows(request, stop))
    (stage / "Modelfile").write_text(_modelfile(source, whole, made.file), encoding="utf-8")
    if not source.whole:
        shutil.rmtree(whole)
    return made


def _folder(
    source: Source, kind: Kind, into: Path, weights: Path, stop: threading.Event, *, times: int = 1
) -> Iterator[Row]:
    """`times`: how often the weights will lie on the disk."""
    if kind == "merged" and not source.whole:
        request = {
            "do": "merge", "base": source.base, "weights": str(weights), "adapter": str(source.place),
            "into": str(into), "times": times,
        }  # fmt: skip
        yield from ({"what": "merge", **row} for row in child.rows(request, stop))
        files = [file for file in _files(source.place) if not file.name.endswith(_WEIGHTS)]
    else:
        room(into, size(source.place))
        files = _files(source.place)
    for done, file in enumerate(files, 1):
        if stop.is_set():
            return
        if not (into / file.name).exists() or file.name.startswith("tokenizer"):
            shutil.copyfile(file, into / file.name)
        yield {"what": "copy", "done": done, "of": len(files)}


def _files(folder: Path) -> list[Path]:
    return [
        file for file in sorted(folder.iterdir())
        if file.is_file() and file.suffix in KEPT and file.name not in _LEFT_OUT
    ]  # fmt: skip


def _modelfile(source: Source, whole: Path, file: str) -> str:
    from tuning.exporting.engine.words import begins

    said = whole / "tokenizer_config.json"
    given = json.loads(said.read_text(encoding="utf-8")) if said.is_file() else {}
    marks = {
        name: str(token["content"] if isinstance(token, dict) else token)
        for name, token in given.items()
        if name.endswith("_token") and token
    }
    template = whole / "chat_template.jinja"
    text = template.read_text(encoding="utf-8") if template.is_file() else source.template
    first = marks.get("bos_token", "") if begins(whole) else ""
    return modelfile(file, text, marks, source.system, begins=first)


class _Stopped(Exception):  # noqa: N818
    pass
