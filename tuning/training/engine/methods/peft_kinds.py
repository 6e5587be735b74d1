"""LoRA and its kin, IA3: by PEFT, so that what comes out is PEFT's own; plain LoRA learns by engine.quick."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tuning.errors import ForPerson
from tuning.training.bases import Base
from tuning.training.engine import quick
from tuning.training.engine.base import Loaded
from tuning.training.engine.methods.trained import Trained
from tuning.training.settings import Settings


def lora(loaded: Loaded, base: Base, settings: Settings) -> Trained:
    from peft import LoraConfig

    asked = settings.lora
    config = LoraConfig(
        r=asked.r, lora_alpha=asked.alpha, lora_dropout=asked.dropout, task_type="CAUSAL_LM",
        target_modules=list(asked.targets) or "all-linear", use_dora=settings.method == "dora",
        use_rslora=settings.method == "rslora",
    )  # fmt: skip
    made = _made(loaded, base, settings, config, asked.targets)
    quick.lora(loaded.model)
    return made


def ia3(loaded: Loaded, base: Base, settings: Settings) -> Trained:
    from peft import IA3Config

    asked = settings.ia3
    more = {"target_modules": list(asked.targets), "feedforward_modules": list(asked.feedforward)}
    config = IA3Config(task_type="CAUSAL_LM", **(more if asked.targets else {}))
    return _made(loaded, base, settings, config, asked.targets)


def _made(loaded: Loaded, base: Base, settings: Settings, config: Any, targets: tuple[str, ...]) -> Trained:
    from peft import get_peft_model

    torch.manual_seed(settings.seed)
    try:
        model = get_peft_model(loaded.model, config)
    except ValueError as error:
        reason = str(error).splitlines()[0][:200]
        raise ForPerson(
            f"{settings.method} cannot be put on {base.name} ({reason}). Name other layers as targets.",
            spanish=f"{settings.method} no se puede poner sobre {base.name} ({reason}). Nombra otras capas.",
        ) from None
    model.peft_config["default"].base_model_name_or_path = base.known_as

    def write(folder: Path) -> None:
        model.save_pretrained(str(folder), save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty form of a model card

    weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    return Trained(loaded, weights, write)
