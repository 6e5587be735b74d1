"""In: the folder of a whole model from elsewhere. Out: what it is, or a sentence why it must not be loaded.

As tuning.training.foreign for an adapter: files and heads are looked at first, then the values as bytes. Last of all,
in a child process, its tensors are held against those that its config.json asks for.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.exporting import child
from tuning.training.foreign import Wrong, finite, head_of, object_of, refused, sane, template_of

INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, slots=True)
class Model:
    kind: str  # "llama"
    parameters: int
    template: str  # Jinja; "" where none came with it


def check_model(folder: Path, stop: threading.Event) -> Iterator[tuple[int, int] | Model]:
    """Yields (files looked at, of how many), last a Model, none once `stop` was set. ForPerson says what is wrong."""
    try:
        yield from _checked(folder, stop)
    except Wrong as error:
        raise refused(folder, str(error), error.spanish, whole=True) from None
    except OSError as error:
        why = error.strerror or str(error)
        raise refused(folder, f"it cannot be read: {why}", f"no se puede leer: {why}", whole=True) from None


def _checked(folder: Path, stop: threading.Event) -> Iterator[tuple[int, int] | Model]:
    sane(folder, ("config.json", "tokenizer.json"))
    config = object_of(folder / "config.json")
    _plain(config)
    files = _files(folder)
    many, steps = 0, len(files) + 1
    for done, file in enumerate(files, 1):
        head, start = head_of(file)
        finite(file, head, start)
        many += sum(math.prod(one["shape"]) for one in head.values())
        yield done, steps
        if stop.is_set():
            return
    _words(folder, config)
    template = template_of(folder)
    for _ in child.rows({"do": "names", "model": str(folder)}, stop):
        pass
    if not stop.is_set():
        yield Model(str(config["model_type"]), many, template)


def _plain(config: dict[str, Any]) -> None:
    """A language model without code of its own, its weights as they are."""
    if config.get("auto_map"):
        raise Wrong("it needs code of its own, and none is run here", "necesita código propio y aquí no se ejecuta")
    if config.get("quantization_config"):
        raise Wrong("its weights are quantized", "sus pesos están cuantizados")
    named = config.get("architectures") or ["ForCausalLM"]
    if not isinstance(config.get("model_type"), str) or not str(named[0]).endswith("ForCausalLM"):
        raise Wrong("it is no language model that writes text", "no es un modelo de lenguaje que escriba texto")


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        raise Wrong("it has no *.safetensors", "no tiene *.safetensors")
    if (folder / INDEX).is_file():
        named = object_of(folder / INDEX).get("weight_map")
        wanted = set(named.values()) if isinstance(named, dict) else set()
        if lacking := sorted(wanted - {file.name for file in found}):
            raise Wrong(f"it has no {lacking[0]}", f"no tiene {lacking[0]}")
    return found


def _words(folder: Path, config: dict[str, Any]) -> None:
    """Every token has a row in the embeddings."""
    most = max(vocabulary(folder).values(), default=-1)
    if most < 0 or most >= int(config.get("vocab_size") or 0):
        raise Wrong(
            f"its tokenizer has {most + 1:,} tokens and its embeddings {config.get('vocab_size')}",
            f"su tokenizador tiene {most + 1} tokens y sus embeddings {config.get('vocab_size')}",
        )


def vocabulary(folder: Path) -> dict[str, int]:
    """Token → id, of tokenizer.json. Wrong where it cannot be read."""
    file = folder / "tokenizer.json"
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        words = said["model"]["vocab"]
        found = dict(words) if isinstance(words, dict) else {one[0]: at for at, one in enumerate(words)}
        added = {one["content"]: one["id"] for one in said.get("added_tokens") or ()}
        return {str(text): int(number) for text, number in (found | added).items()}
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        raise Wrong("its tokenizer.json is damaged", "su tokenizer.json está dañado") from None
