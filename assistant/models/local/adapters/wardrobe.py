"""In: a causal model of transformers, adapters' folders. Out: the model wearing one of them, or nothing.

An adapter is made once, upon the bare base: which layers it put in place of which is noted, then the base's are put
back. To wear it is to put its layers in again, so adapters of different kinds, which PEFT does not hold in one model,
follow each other at the price of some hundred entries in dictionaries; the base's weights are never touched.

lora, ia3, …    PEFT's layers, each around one of the base's
bottleneck      our own, the same way
prompt          nothing is put anywhere: keys and values that are read before the first token
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import ForOperator

MOST = 16  # kept in memory beside one base; the one not worn for longest goes
WEIGHTS, SETTINGS = "adapter_model.safetensors", "adapter_config.json"
BOTTLENECK = "AFINA_BOTTLENECK"
Place = tuple[Any, str, Any]  # a module, the name of one of its parts, that part
Key = tuple[Path, int, int]  # a folder, and when its two files changed: written anew, it is made anew


@dataclass(frozen=True, slots=True)
class Worn:
    layers: tuple[Place, ...] = ()
    read: Any = None  # a cache of one row; None: nothing is read before the first token

    @property
    def tokens(self) -> int:
        """Places that `read` takes of the context."""
        return 0 if self.read is None else int(self.read.get_seq_length())


NOTHING = Worn()


class Wardrobe:
    """For one thread at a time."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._bare = tuple((one, name, part) for one in model.modules() for name, part in one._modules.items())
        self._kept: OrderedDict[Key, Worn] = OrderedDict()  # the last worn last
        self._on = NOTHING

    def __len__(self) -> int:
        return len(self._kept)

    def wear(self, adapter: Path | None) -> Worn:
        """From now on, until something else is asked for. ForOperator where it cannot be loaded; the base is bare
        then."""
        worn = self._known(adapter) if adapter else NOTHING
        if worn is not self._on:
            self._undress()
            _put(worn.layers)
            self._on = worn
        return worn

    def _known(self, adapter: Path) -> Worn:
        try:
            changed = [(adapter / name).stat().st_mtime_ns for name in (WEIGHTS, SETTINGS)]
        except OSError as error:  # PEFT would look for it on the hub, or for a pickle
            raise _refused(adapter, f"it has no {Path(error.filename).name}") from error
        key = (adapter, changed[0], changed[1])
        if key not in self._kept:
            self._kept[key] = self._made(adapter)
        self._kept.move_to_end(key)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _made(self, adapter: Path) -> Worn:
        self._undress()
        try:
            read = _dressed(self._model, adapter)
            return Worn(tuple(_changed(self._bare)), read)
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise _refused(adapter, reason) from error
        finally:
            _put(self._bare)  # also what a failure left half done

    def _undress(self) -> None:
        if self._on.layers:
            _put(self._bare)
        self._on = NOTHING


def _dressed(model: Any, adapter: Path) -> Any:
    """`model` is changed; out: what is to be read before the first token, if anything."""
    kind = json.loads((adapter / SETTINGS).read_text(encoding="utf-8")).get("peft_type")
    if kind == BOTTLENECK:
        from assistant.models.local.adapters import bottleneck

        bottleneck.wear(model, adapter)
        return None
    from assistant.models.local.adapters import peft_folder

    return peft_folder.wear(model, adapter)


def _changed(bare: tuple[Place, ...]) -> list[Place]:
    return [(one, name, one._modules[name]) for one, name, part in bare if one._modules.get(name) is not part]


def _put(places: tuple[Place, ...]) -> None:
    for one, name, part in places:
        one._modules[name] = part  # as setattr ends up doing, without its looking round for each of some hundred


def _refused(adapter: Path, reason: str) -> ForOperator:
    return ForOperator(
        f"The adapter {adapter} could not be loaded ({reason}). It must be a folder of PEFT, or of this app, trained "
        "on this model; `pip install peft` if that is what is missing.",
        spanish=f"No se pudo cargar el adaptador {adapter} ({reason}). Tiene que ser una carpeta de PEFT, o de esta "
        "aplicación, entrenada sobre este modelo; `pip install peft` si es eso lo que falta.",
    )
