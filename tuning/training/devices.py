"""In: what is asked for. Out: whose part of a recipe to take, the processor's or the GPU's. Without torch: it is only
looked at whether this machine has an NVIDIA driver and a torch that was built for it. The run itself looks again."""

from __future__ import annotations

import re
import shutil
from importlib.util import find_spec
from pathlib import Path

DRIVER = Path("/proc/driver/nvidia/version")


def of_recipe(asked: str = "auto") -> str:
    """ "cpu" | "gpu"."""
    if asked != "auto":
        return "gpu" if asked == "cuda" else "cpu"
    return "gpu" if (DRIVER.exists() or shutil.which("nvidia-smi")) and _built_for_it() else "cpu"


def _built_for_it() -> bool:
    found = find_spec("torch")
    places = found.submodule_search_locations if found else None
    try:
        text = (Path(next(iter(places or []))) / "version.py").read_text(encoding="utf-8")
    except (OSError, StopIteration):
        return False
    return re.search(r"^cuda\b[^=]*= *['\"]", text, re.MULTILINE) is not None
