"""In: a base, an adapter's folder. Out: a model's folder with the adapter in its weights, as if it had been trained so.

Merged in float32 where the memory is enough, else as the base is kept, and written as the base is kept: rounded once.
LoRA, DoRA, rsLoRA, IA3. A bottleneck is a layer of its own and a prompt is no weight: `export` refuses those before.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from tuning.errors import ForOperator, ForPerson
from tuning.training.bases import Base

STEPS = 4  # loaded, worn, merged, written
SHARD = "4GB"  # of a file
ROOM = 1.3  # times what the weights take, that must be free


def merge(base: Base, adapter: Path, into: Path) -> Iterator[int]:
    """Yields how many of STEPS are done. ForPerson where the adapter does not fit, or what comes out is no number."""
    model = _loaded(base)
    yield 1
    worn = _worn(model, adapter, base)
    yield 2
    merged = worn.merge_and_unload()
    broken = next((name for name, one in merged.named_parameters() if not bool(torch.isfinite(one).all())), "")
    if broken:
        raise ForPerson(
            f"Merged, {broken} holds values that are no numbers. Train it again, or export the adapter.",
            spanish=f"Al fusionarlo, {broken} contiene valores que no son números. Entrénalo de nuevo o exporta el "
            "adaptador.",
        )
    yield 3
    kept = getattr(torch, _kept(base))
    merged.to(kept).save_pretrained(str(into), max_shard_size=SHARD)
    for file in into.glob("*.safetensors"):  # safetensors makes them for their owner alone
        shutil.copymode(into / "config.json", file)
    yield 4


def _loaded(base: Base) -> Any:
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    kept, free = _kept(base), _free()
    if free is not None and base.bytes * ROOM > free:
        raise ForOperator(
            f"{base.name} does not fit into the free memory ({base.bytes >> 20} of {free >> 20} MB). Close other "
            "programs, or export the adapter.",
            spanish=f"{base.name} no cabe en la memoria libre ({base.bytes >> 20} de {free >> 20} MB). Cierra otros "
            "programas o exporta el adaptador.",
        )
    in_full = base.bytes * (1 if kept == "float32" else 2) * ROOM
    dtype = "float32" if free is None or in_full < free else kept
    return AutoModelForCausalLM.from_pretrained(
        str(base.folder), dtype=getattr(torch, dtype), use_safetensors=True, trust_remote_code=False,
        local_files_only=True,
    )  # fmt: skip


def _free() -> int | None:
    """Bytes that programs can still have; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) * 1024
    except (OSError, StopIteration):
        return None


def _worn(model: Any, adapter: Path, base: Base) -> Any:
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, str(adapter), use_safetensors=True)
    except (ValueError, RuntimeError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ForPerson(
            f"The adapter does not fit {base.name} ({reason}). Choose the model that it was trained on.",
            spanish=f"El adaptador no encaja en {base.name} ({reason}). Elige el modelo sobre el que se entrenó.",
        ) from None


def _kept(base: Base) -> str:
    said = json.loads((base.folder / "config.json").read_text(encoding="utf-8"))
    dtype = str(said.get("dtype") or said.get("torch_dtype") or "float32")
    return dtype if dtype in ("float32", "float16", "bfloat16") else "float32"
