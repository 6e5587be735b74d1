"""In: a base's folder, a precision. Out: the model, frozen. No code that comes with it is run, no pickle is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from tuning.training.bases import Base
from tuning.training.engine import attention
from tuning.training.engine.device import choose
from tuning.training.settings import Settings

WHOLE = ("full", "norms", "last")  # methods that train the model's own weights: those are float32


@dataclass(frozen=True, slots=True)
class Loaded:
    model: Any  # a causal language model of transformers
    device: str  # "cpu" | "cuda"
    compute: Any  # torch.dtype of the arithmetic
    packs: bool  # whether rows can be read together; else each is read alone


def load(base: Base, settings: Settings) -> Loaded:
    device = choose(settings)
    compute = _compute(settings, device)
    kept = torch.float32 if settings.method in WHOLE else compute
    model = causal(base, kept, attention.NAME)
    packs = model is not None and _plain(model.config)
    if not packs:
        model = causal(base, kept, None)
    model.requires_grad_(False)
    model.config.use_cache = False
    return Loaded(model.to(device), device, compute, packs)


def causal(base: Base, dtype: Any, attends: str | None) -> Any:
    """None where the model's code has no place for another attention."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    more = {"attn_implementation": attends} if attends else {}
    try:
        return AutoModelForCausalLM.from_pretrained(
            str(base.folder), dtype=dtype, use_safetensors=True, trust_remote_code=False, local_files_only=True, **more
        )
    except (ValueError, NotImplementedError):
        if not attends:
            raise
        return None


def _compute(settings: Settings, device: str) -> Any:
    if settings.precision != "auto":
        return getattr(torch, settings.precision)
    return torch.bfloat16 if quick_bf16(device) else torch.float32


def quick_bf16(device: str) -> bool:
    """Whether bf16 is multiplied by the processor itself: twice as quick as float32 with AVX-512, more with AMX."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    known = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(test() for test in known if test)


def _plain(config: Any) -> bool:
    """Attention over all that came before, weighed by a softmax and nothing else."""
    said = config.get_text_config()
    windows = getattr(said, "sliding_window", None) and getattr(said, "use_sliding_window", True)
    odd = ("attn_logit_softcapping", "attention_chunk_size", "linear_attn_config", "mamba_d_state", "alibi")
    kinds = set(getattr(said, "layer_types", None) or ["full_attention"])
    return not windows and not any(getattr(said, name, None) for name in odd) and kinds == {"full_attention"}
