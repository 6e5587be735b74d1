"""In: an adapter's folder, its base's folder. Out: what it is, or a sentence why it must not be loaded.

Nothing of it is loaded to find out: the head of the safetensors is read, then the values are looked at as bytes.

    size        files of a sane size, nothing that could run code
    settings    adapter_config.json, a kind that is known, no class of its own
    names       only tensors of that kind; each beside a layer that the base has
    shapes      as the base's layers ask for
    template    short, and it writes a conversation in the sandbox
    values      finite numbers
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.errors import AssistantError
from assistant.models.local.hf import DEFAULT_MODEL, DEFAULT_WEIGHTS
from assistant.models.local.templates import rendered
from knowledge import Turn
from tuning.errors import ForPerson

LARGEST = 8 * 2**30  # bytes of the weights
LARGEST_TEXT = 50_000_000  # bytes of a JSON file; a tokenizer has some
LARGEST_TEMPLATE = 200_000
LONGEST_HEAD = 100_000_000  # bytes; the format's own limit
KINDS = {"LORA": "lora", "IA3": "ia3", "PROMPT_TUNING": "prompt", "AFINA_BOTTLENECK": "bottleneck"}
_RUNS = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".py", ".so", ".dll", ".joblib")
_WIDTHS = {"F32": 4, "F16": 2, "BF16": 2}
_PARTS = {
    "LORA": r"lora_(?:A|B)\.weight|lora_magnitude_vector(?:\.weight)?",
    "IA3": r"ia3_l",
    "AFINA_BOTTLENECK": r"(?:down|up)\.(?:weight|bias)",
}
Shapes = dict[str, tuple[int, ...]]


class Wrong(Exception):  # noqa: N818
    """What is wrong with it, in English and Spanish; `refused` makes a sentence of it."""

    def __init__(self, english: str, spanish: str) -> None:
        super().__init__(english)
        self.spanish = spanish


@dataclass(frozen=True, slots=True)
class Checked:
    method: str  # lora | ia3 | prompt | bottleneck
    parameters: int
    rank: int  # 0 where the method has none
    base: str  # as the adapter names it
    template: str  # Jinja; "" where none came with it


def check_adapter(folder: Path, base: Path, name: str = "") -> Checked:
    """ForPerson says what is wrong. `name`: what the base is called elsewhere: local:smollm2-135m, a repository."""
    try:
        return _checked(folder, base, name)
    except Wrong as error:
        raise refused(folder, str(error), error.spanish) from None
    except OSError as error:
        why = error.strerror or str(error)
        raise refused(folder, f"it cannot be read: {why}", f"no se puede leer: {why}") from None


def _checked(folder: Path, base: Path, name: str) -> Checked:
    sane(folder, ("adapter_config.json", "adapter_model.safetensors"))
    config = object_of(folder / "adapter_config.json")
    kind = str(config.get("peft_type", "")).upper()
    if kind not in KINDS:
        raise Wrong(
            f"its kind {kind or 'is not said'} is not known here", f"su tipo {kind or 'no consta'} no se conoce"
        )
    if config.get("auto_mapping") or config.get("custom_modules") or config.get("modules_to_save"):
        raise Wrong("it brings classes or whole modules of its own", "trae clases o módulos enteros propios")
    named = str(config.get("base_model_name_or_path", ""))
    _same_base(named, base, name)
    file = folder / "adapter_model.safetensors"
    head, start = head_of(file)
    _fits(kind, {key: tuple(said["shape"]) for key, said in head.items()}, _layers(base), config, base)
    finite(file, head, start)
    many = sum(math.prod(said["shape"]) for said in head.values())
    rank = int(config.get("r") or 0) if kind == "LORA" else 0
    return Checked(KINDS[kind], many, rank, named, template_of(folder))


def sane(folder: Path, needed: tuple[str, ...]) -> None:
    """Files of a sane size, nothing that could run code, and those that are needed."""
    if not folder.is_dir():
        raise Wrong("there is no such folder", "no existe la carpeta")
    for file in folder.rglob("*"):
        if file.is_symlink():
            raise Wrong(f"{file.name} points elsewhere", f"{file.name} apunta a otro sitio")
        if file.suffix.lower() in _RUNS:
            raise Wrong(
                f"{file.name} is of a format that can run code",
                f"{file.name} es de un formato que puede ejecutar código",
            )
        largest = LARGEST if file.suffix == ".safetensors" else LARGEST_TEXT
        if file.is_file() and file.stat().st_size > largest:
            raise Wrong(f"{file.name} is too large", f"{file.name} es demasiado grande")
    for name in needed:
        if not (folder / name).is_file():
            raise Wrong(f"it has no {name}", f"no tiene {name}")


def object_of(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise Wrong(f"{file.name} is no JSON object", f"{file.name} no es un objeto JSON")
    return content


def _same_base(named: str, base: Path, name: str) -> None:
    """A path or a repository of the same name; the default model goes by several."""
    if DEFAULT_WEIGHTS in base.parts or name.endswith(DEFAULT_WEIGHTS):
        same = named == DEFAULT_MODEL or DEFAULT_WEIGHTS in Path(named).parts
    else:
        same = Path(named) == base or named == name.removeprefix("hf:") or Path(named).name == base.name
    if named and not same:
        raise Wrong(
            f"it was trained on {named[:200]}, not on this base", f"se entrenó sobre {named[:200]}, no sobre esta"
        )


def head_of(file: Path) -> tuple[dict[str, Any], int]:
    """(tensor → dtype, shape, data_offsets; where the values begin); each within the file, none over another."""
    broken = Wrong(f"{file.name} is damaged", f"{file.name} está dañado")
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if size < 8 or length > min(LONGEST_HEAD, size - 8):
            raise broken
        try:
            head = json.loads(opened.read(length))
        except (ValueError, RecursionError):
            raise broken from None
    if not isinstance(head, dict):
        raise broken
    head.pop("__metadata__", None)
    at = 0
    try:
        for said in sorted(head.values(), key=lambda one: one["data_offsets"]):
            first, end = said["data_offsets"]
            sizes = [int(one) for one in said["shape"]]
            if first != at or min(sizes, default=1) < 1 or end - first != math.prod(sizes) * _WIDTHS[said["dtype"]]:
                raise broken
            at = end
    except (KeyError, TypeError, ValueError):
        raise broken from None
    if not head or at != size - 8 - length:
        raise broken
    return head, 8 + length


def _layers(base: Path) -> Shapes:
    found: Shapes = {}
    for file in sorted(base.glob("*.safetensors")):
        head, _ = head_of(file)
        found |= {key.removesuffix(".weight"): tuple(said["shape"]) for key, said in head.items()}
    if not found:
        raise Wrong("its base has no safetensors", "su base no tiene safetensors")
    return found


def _fits(kind: str, shapes: Shapes, layers: Shapes, config: dict[str, Any], base: Path) -> None:
    if kind == "PROMPT_TUNING":
        width = object_of(base / "config.json").get("hidden_size")
        if set(shapes) != {"prompt_embeddings"} or shapes["prompt_embeddings"][1:] != (width,):
            raise _misfit(next(iter(shapes)))
        return
    for key, shape in shapes.items():
        found = re.fullmatch(rf"(?:base_model\.model\.)?(?P<layer>.+)\.(?P<part>{_PARTS[kind]})", key)
        layer = layers.get(found["layer"]) if found else None
        if found is None or layer is None or len(layer) != 2:
            raise _misfit(key)
        if shape not in _wanted(kind, found["part"], layer, config):
            raise _misfit(key)


def _wanted(kind: str, part: str, layer: tuple[int, ...], config: dict[str, Any]) -> list[tuple[int, ...]]:
    """Shapes that a tensor beside a layer (out, in) may have."""
    out, into = layer
    if kind == "IA3":
        return [(out, 1), (1, into)]
    if kind == "LORA":
        ranks = {config.get("r"), *dict(config.get("rank_pattern") or {}).values()}
        if part.startswith("lora_magnitude"):
            return [(out,)]
        return [(rank, into) if part.startswith("lora_A") else (out, rank) for rank in ranks if isinstance(rank, int)]
    size = config.get("size", 0)
    return [{"down.weight": (size, out), "down.bias": (size,), "up.weight": (out, size), "up.bias": (out,)}[part]]


def _misfit(key: str) -> Wrong:
    return Wrong(f"{key[:120]} does not fit the base's layers", f"{key[:120]} no encaja en las capas de la base")


def finite(file: Path, head: dict[str, Any], start: int) -> None:
    """A number is not finite where all bits of its exponent are set."""
    values = np.memmap(file, dtype=np.uint8, mode="r")
    masks = {"F32": (np.uint32, 0x7F800000), "F16": (np.uint16, 0x7C00), "BF16": (np.uint16, 0x7F80)}
    for key, said in head.items():
        first, end = said["data_offsets"]
        kind, mask = masks[said["dtype"]]
        bits = np.frombuffer(values[start + first : start + end].tobytes(), dtype=kind)
        if bool(((bits & kind(mask)) == mask).any()):
            raise Wrong(
                f"{key[:120]} holds values that are no numbers", f"{key[:120]} contiene valores que no son números"
            )


def template_of(folder: Path) -> str:
    """The chat template that came with it, tried in the sandbox; "" where none did."""
    file = folder / "chat_template.jinja"
    if not file.is_file():
        return ""
    text = file.read_text(encoding="utf-8", errors="replace")
    if len(text) > LARGEST_TEMPLATE:
        raise Wrong("its chat template is too long", "su plantilla de chat es demasiado larga")
    names = dict(_names(folder))
    try:
        rendered([Turn("system", "-"), Turn("user", "-"), Turn("assistant", "-"), Turn("user", "-")], text, (), names)
    except AssistantError as error:
        raise Wrong(error.said("en"), error.said("es")) from None
    return text


def _names(folder: Path) -> list[tuple[str, str]]:
    file = folder / "tokenizer_config.json"
    said = object_of(file) if file.is_file() else {}
    return [(key, value) for key, value in said.items() if key.endswith("_token") and isinstance(value, str)]


def refused(folder: Path, why: str, spanish: str, *, whole: bool = False) -> ForPerson:
    what, que = ("model", "modelo") if whole else ("adapter", "adaptador")
    return ForPerson(
        f"The {what} {folder.name} is not loaded: {why}. Get it anew, or choose another.",
        spanish=f"El {que} {folder.name} no se carga: {spanish}. Consíguelo de nuevo o elige otro.",
    )
