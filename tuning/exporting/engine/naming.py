"""In: a model's folder. Out: nothing, or Wrong: its tensors are not those that its config.json asks for.

The model is made without memory (torch's meta device) by transformers' own classes; no code that comes with it is run.
"""

from __future__ import annotations

from pathlib import Path

import torch

from tuning.exporting.engine.tensors import tensors
from tuning.training.foreign import Wrong


def agree(folder: Path) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.utils import logging

    logging.set_verbosity_error()
    try:
        config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except Exception as error:  # whatever a config makes of transformers
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise Wrong(
            f"its config.json makes no language model ({reason})",
            f"su config.json no da un modelo de lenguaje ({reason})",
        ) from None
    wanted = {name: tuple(one.shape) for name, one in model.state_dict().items()}
    found = {name: one.shape for name, one in tensors(folder).items()}
    free = set(getattr(model, "_tied_weights_keys", None) or ()) if config.tie_word_embeddings else set()
    for name, shape in wanted.items():
        if name not in found and name not in free:
            raise Wrong(f"{name} is missing", f"falta {name}")
        if name in found and found[name] != shape:
            raise Wrong(
                f"{name} has the shape {found[name]}, and its config asks for {shape}",
                f"{name} tiene la forma {found[name]} y su configuración pide {shape}",
            )
    for name in found:
        if name not in wanted and not name.endswith("rotary_emb.inv_freq"):
            raise Wrong(f"{name[:120]} is not known to its config", f"su configuración no conoce {name[:120]}")
