"""In: a causal model, a folder that PEFT wrote (safetensors). Out: the model with PEFT's layers in place of its own; of
a kind that trains a prompt: the keys and values it leaves, which are read before the first token.

PEFT lays a trained prompt before each conversation anew; read once and kept, it costs nothing from the second on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_VECTORS = ("PROMPT_TUNING", "P_TUNING")  # embeddings
_PREFIX = "PREFIX_TUNING"  # keys and values as such


def wear(model: Any, folder: Path) -> Any:
    """A cache of one row, or None. Whatever PEFT raises where it does not fit."""
    from peft import PeftModel

    made = PeftModel.from_pretrained(model, str(folder), use_safetensors=True).eval()
    config = made.active_peft_config
    if not config.is_prompt_learning:
        return None
    kind = config.peft_type.value
    if kind not in (*_VECTORS, _PREFIX):
        raise ValueError(f"prompts of the kind {kind} are not read here")
    return _read(model, made, kind)


def _read(model: Any, made: Any, kind: str) -> Any:
    import torch
    from transformers import DynamicCache

    with torch.no_grad():
        prompt = made.get_prompt(batch_size=1)
        if kind == _PREFIX:
            return prompt if hasattr(prompt, "get_seq_length") else DynamicCache(prompt, config=model.config)
        vectors = prompt.to(device=model.device, dtype=model.dtype)  # (1, vectors, hidden)
        cache = DynamicCache(config=model.config)
        model(inputs_embeds=vectors, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return cache
