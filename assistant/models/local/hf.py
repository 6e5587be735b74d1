"""In: what follows "hf:", a folder or a repository of the Hugging Face hub. Out: where its weights lie, or a sentence.

    hf:/models/my-llama        config.json + *.safetensors + tokenizer files
    hf:/models/marv-adapter    a PEFT adapter; the base named in its adapter_config.json is looked for, too
    hf:org/name, hf:org/name@revision

From a repository only weights in safetensors and text files are fetched, into <weights>/hf. A pickle or code that comes
with a model is never fetched, nor used where it lies in a folder. Looking for a model asks nobody; fetching does.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError, ForOperator, ForPerson, TryAgain

DEFAULT_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"  # an adapter trained on it is worn by the one that is here
DEFAULT_WEIGHTS = "smollm2-135m"
WANTED = ("*.safetensors", "*.json", "*.jinja", "tokenizer.model", "*.txt")
CONTEXT_NAMES = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")  # what config.json calls it
LONGEST_HEAD = 100_000_000  # bytes; the format's own limit
_REPOSITORY = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")

Progress = Callable[[int, int], None]  # bytes done, bytes in all


@dataclass(frozen=True, slots=True)
class Source:
    """`base` None: the default model. `missing`: repositories to be fetched first; the paths are then not yet known."""

    base: Path | None = None
    adapter: Path | None = None
    missing: tuple[str, ...] = ()


def find(argument: str, weights: Path) -> Source:
    """ForPerson or ForOperator where it is neither a folder with a model nor a repository's name."""
    folder = Path(os.path.expanduser(argument))  # Path's own raises where a ~user is unknown
    if folder.is_dir():
        return _in_folder(folder.absolute(), weights)
    if not _REPOSITORY.fullmatch(argument) or argument.startswith((".", "~")):
        raise ForPerson(
            f"There is no folder {argument}. Write hf: and a folder with a model, or a repository such as "
            f"hf:{DEFAULT_MODEL}.",
            spanish=f"No existe la carpeta {argument}. Escribe hf: y una carpeta con un modelo, o un repositorio como "
            f"hf:{DEFAULT_MODEL}.",
        )
    kept = _kept(argument, weights)
    return _in_folder(kept, weights) if kept else Source(missing=(argument,))


def facts(folder: Path) -> dict[str, Any]:
    """{"context": tokens, "size": "134.515M"}: what a model's own files say of it, as far as they do."""
    said: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError, AttributeError, TypeError, RecursionError):
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config = {**config.get("text_config", {}), **config}
        context = next((config[name] for name in CONTEXT_NAMES if isinstance(config.get(name), int)), None)
        said |= {"context": context} if context else {}
    with contextlib.suppress(OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        files = sorted(folder.glob("*.safetensors"))
        weights = sum(_weights_in(file, file.stat().st_mtime_ns) for file in files)
        said |= {"size": f"{weights / 1e6:.3f}M"} if weights else {}
    return said


@lru_cache(maxsize=256)
def _weights_in(file: Path, changed: int) -> int:
    """Parameters, from a safetensors' head: 8 bytes of its length, then JSON. `changed`: read again after that."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        head = json.loads(opened.read(min(length, LONGEST_HEAD)))
    return sum(math.prod(tensor["shape"]) for name, tensor in head.items() if name != "__metadata__")


def fetch(repository: str, weights: Path, token: str | None, stop: threading.Event, progress: Progress) -> None:
    """Into <weights>/hf; what was fetched before an interruption is not fetched again."""
    import httpx2
    from huggingface_hub import HfApi, constants
    from huggingface_hub import errors as hub

    named = _REPOSITORY.fullmatch(repository)
    assert named
    try:
        folder = HfApi(constants.ENDPOINT, token=token or False).snapshot_download(
            named["id"], revision=named["revision"], cache_dir=_hub(weights), allow_patterns=list(WANTED),
            tqdm_class=_bar(stop, progress), max_workers=2,
        )  # fmt: skip
    except _Stopped:
        return
    except (hub.GatedRepoError, hub.RepositoryNotFoundError, hub.RevisionNotFoundError) as error:
        raise _refused(repository, gated=isinstance(error, hub.GatedRepoError)) from None
    except (hub.OfflineModeIsEnabled, hub.LocalEntryNotFoundError, httpx2.TransportError, hub.HfHubHTTPError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise TryAgain(
            f"{repository} could not be fetched ({reason}). Check the network and try again.",
            spanish=f"No se pudo descargar {repository} ({reason}). Comprueba la red y vuelve a intentarlo.",
        ) from None
    except OSError as error:
        raise ForOperator(
            f"{repository} could not be written to {_hub(weights)} ({error.strerror or error}). Make room, or mend its "
            "permissions.",
            spanish=f"No se pudo escribir {repository} en {_hub(weights)} ({error.strerror or error}). Haz sitio o "
            "corrige sus permisos.",
        ) from None
    _mark(repository, weights).write_text(json.dumps({"folder": str(Path(folder).relative_to(_hub(weights)))}))


def _in_folder(folder: Path, weights: Path) -> Source:
    try:
        if (folder / "adapter_config.json").is_file():
            return _of_adapter(folder, weights)
        if not (folder / "config.json").is_file():
            raise _no_model(folder, "it has no config.json", "no tiene config.json")
        json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _no_model(folder, f"its settings cannot be read: {error}", f"no se puede leer: {error}") from None
    _safe(folder, "*.safetensors")
    return Source(folder)


def _of_adapter(folder: Path, weights: Path) -> Source:
    _safe(folder, "adapter_model.safetensors")
    base = str(json.loads((folder / "adapter_config.json").read_text(encoding="utf-8")).get("base_model_name_or_path"))
    place = (folder / os.path.expanduser(base)).absolute()
    ours = weights.absolute() / DEFAULT_WEIGHTS
    if base == DEFAULT_MODEL or place.is_relative_to(ours) or DEFAULT_WEIGHTS in Path(base).parts:
        return Source(None, folder)
    if place.is_dir():
        under = _in_folder(place, weights)
    elif _REPOSITORY.fullmatch(base):
        kept = _kept(base, weights)
        under = _in_folder(kept, weights) if kept else Source(missing=(base,))
    else:
        raise ForOperator(
            f"The adapter {folder} was trained on {base}, which is not here. Put that model there, or write its place "
            "into adapter_config.json (base_model_name_or_path).",
            spanish=f"El adaptador {folder} se entrenó sobre {base}, que no está aquí. Pon ese modelo en su sitio o "
            "escribe dónde está en adapter_config.json (base_model_name_or_path).",
        )
    return Source(under.base, folder, under.missing)


def _safe(folder: Path, pattern: str) -> None:
    if any(folder.glob(pattern)):
        return
    pickled = next((file.name for kind in ("*.bin", "*.pt", "*.pth") for file in folder.glob(kind)), "")
    if pickled:
        raise ForOperator(
            f"{folder} holds its weights as {pickled}, a format that can run code when it is opened. Convert it to "
            "safetensors first.",
            spanish=f"{folder} guarda sus pesos en {pickled}, un formato que puede ejecutar código al abrirse. "
            "Conviértelo antes a safetensors.",
        )
    raise _no_model(folder, f"it has no {pattern}", f"no tiene {pattern}")


def _no_model(folder: Path, why: str, spanish: str) -> AssistantError:
    return ForPerson(
        f"{folder} is not a model folder ({why}). Choose one with config.json, *.safetensors and a tokenizer, or with "
        "an adapter.",
        spanish=f"{folder} no es la carpeta de un modelo ({spanish}). Elige una con config.json, *.safetensors y un "
        "tokenizador, o con un adaptador.",
    )


def _refused(repository: str, *, gated: bool) -> ForOperator:
    if gated:
        return ForOperator(
            f"{repository} is only for those who accepted its terms. Accept them on its page, then enter your token "
            "(hf) under keys.",
            spanish=f"{repository} es solo para quien aceptó sus condiciones. Acéptalas en su página y escribe tu "
            "token (hf) en las claves.",
        )
    return ForOperator(
        f"There is no repository {repository}, or your token may not see it. Check its name, or enter a token (hf) "
        "under keys.",
        spanish=f"No hay ningún repositorio {repository}, o tu token no lo puede ver. Comprueba el nombre o escribe un "
        "token (hf) en las claves.",
    )


def _hub(weights: Path) -> Path:
    return weights / "hf"


def _mark(repository: str, weights: Path) -> Path:
    """A file that says the repository is here as a whole: a folder alone may be half of one."""
    return _hub(weights) / f"{repository.replace('/', '--')}.json"


def _kept(repository: str, weights: Path) -> Path | None:
    try:
        row = json.loads(_mark(repository, weights).read_text(encoding="utf-8"))
        folder = _hub(weights) / row["folder"]
        return folder if folder.is_dir() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


class _Stopped(Exception):  # noqa: N818
    pass


def _bar(stop: threading.Event, progress: Progress) -> Any:
    """A tqdm that draws nothing, counts the bytes of all files, and ends the fetch once `stop` is set."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            self._bytes = kwargs.get("unit") == "B"
            super().__init__(*args, **{**kwargs, "disable": True})
            self.n, self.total = kwargs.get("initial", 0), kwargs.get("total") or 0

        def update(self, n: float | None = 1) -> bool | None:
            if stop.is_set():
                raise _Stopped
            if self._bytes:
                self.n += n or 0
                progress(int(self.n), int(self.total or 0))
            return None

    return Bar
