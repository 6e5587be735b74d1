"""In: what the settings ask for. Out: where learning happens, and what that place can do."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from tuning.errors import ForOperator, ForPerson
from tuning.training.settings import Settings


def choose(settings: Settings) -> str:
    """ "cpu" | "cuda". ForOperator where a GPU is asked for and none is there."""
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        english, spanish = _why_not()
        raise ForOperator(
            f"No NVIDIA GPU can be used: {english}. Choose the device cpu or auto, or mend it, then resume.",
            spanish=f"No se puede usar ninguna GPU de NVIDIA: {spanish}. Elige el dispositivo cpu o auto, o "
            "arréglalo, y reanuda.",
        )
    chosen = "cuda" if there and settings.device != "cpu" else "cpu"
    if chosen == "cuda" and settings.processes > (many := torch.cuda.device_count()):
        raise ForPerson(
            f"{settings.processes} processes are asked for, one for each GPU, and there are {many}. Choose at most "
            f"{many}.",
            spanish=f"Se piden {settings.processes} procesos y hay {many} GPU: uno por cada una. Elige {many} como "
            "máximo.",
        )
    return chosen


def _why_not() -> tuple[str, str]:
    if torch.version.cuda is None:
        return (
            f"torch {torch.__version__} was built without CUDA",
            f"torch {torch.__version__} se compiló sin CUDA",
        )
    return "no GPU or no driver was found", "no se encontró la GPU o su controlador"


def name(chosen: str) -> str:
    """For people."""
    return str(torch.cuda.get_device_name()) if chosen == "cuda" else "CPU"


def token_bytes(folder: Path) -> int | None:
    """What a token of a pack takes on a GPU while a step is made, for one that learns with the base frozen.

    bf16, nothing computed twice: seven vectors as wide as the model for each layer, three as wide as its feed-forward
    block. A little more than what is kept, by count; not measured. None of a model that does not say its sizes.
    """
    try:
        said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        wide, inner = int(said["hidden_size"]), int(said["intermediate_size"])
        return 2 * int(said["num_hidden_layers"]) * (7 * wide + 3 * inner)
    except (OSError, ValueError, KeyError, TypeError):
        return None
