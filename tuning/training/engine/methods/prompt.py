"""Prompt tuning (Lester et al. 2021): vectors before the first token, which begin as the embeddings of a text.

They are the first of what the rows of a pack share, so they are read once per pack. Written as PEFT has them.
"""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path
from typing import Any

import torch

from tuning.training.bases import Base
from tuning.training.engine.base import Loaded
from tuning.training.engine.methods.trained import Trained
from tuning.training.settings import Settings


def make(loaded: Loaded, base: Base, settings: Settings) -> Trained:
    table = loaded.model.get_input_embeddings().weight
    ids = _ids(base, settings, table.shape[0])
    vectors = torch.nn.Parameter(table[torch.tensor(ids, device=table.device)].detach().float().clone())

    def write(folder: Path) -> None:
        from safetensors.torch import save_file

        config = _config(loaded.model.config.get_text_config(), base, settings)
        config.save_pretrained(str(folder))
        save_file({"prompt_embeddings": vectors.detach().cpu().contiguous()}, folder / "adapter_model.safetensors")

    return Trained(loaded, {"prompt_embeddings": vectors}, write, vectors=vectors)


def _ids(base: Base, settings: Settings, vocabulary: int) -> list[int]:
    """The text's tokens, over and over; without a text, drawn by the seed."""
    asked = settings.prompt
    ids = [piece.id for piece in base.counter.pieces(asked.text) if piece.id is not None] if asked.text else []
    if ids:
        return list(islice(cycle(ids), asked.vectors))
    drawn = torch.Generator().manual_seed(settings.seed)
    return [int(one) for one in torch.randint(vocabulary, (asked.vectors,), generator=drawn)]


def _config(model: Any, base: Base, settings: Settings) -> Any:
    from peft import PromptTuningConfig

    return PromptTuningConfig(
        task_type="CAUSAL_LM", base_model_name_or_path=base.known_as, num_virtual_tokens=settings.prompt.vectors,
        token_dim=model.hidden_size, num_layers=model.num_hidden_layers, inference_mode=True,
        num_attention_heads=model.num_attention_heads, num_transformer_submodules=1,
    )  # fmt: skip
