"""The end of a run: the best weights written as what the app and PEFT load, with the template and the tokenizer they
were learned with beside them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tuning.training.bases import Base
from tuning.training.engine.methods.trained import Trained
from tuning.training.folder import ADAPTER, MODEL, Folder
from tuning.training.settings import Settings

RUN = "afina_run.json"
_COPIED = ("tokenizer_config.json", "special_tokens_map.json", "generation_config.json", "added_tokens.json")


def write(folder: Folder, trained: Trained, base: Base, settings: Settings, facts: dict[str, Any]) -> Path:
    """JOB/adapter or JOB/model, whole or not at all."""
    place = folder.file(MODEL if trained.whole else ADAPTER)
    stage = place.with_name(f".{place.name}.part")
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    try:
        trained.write(stage)
        _lock(base, stage)
        said = {"method": settings.method, "base": base.name, "seed": settings.seed, **facts}
        (stage / RUN).write_text(json.dumps(said, indent=1, ensure_ascii=False), encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)
        stage.rename(place)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return place


def _lock(base: Base, place: Path) -> None:
    for name in _COPIED:
        if (base.folder / name).is_file() and not (place / name).exists():
            shutil.copyfile(base.folder / name, place / name)
    base.counter.save(place / "tokenizer.json")  # type: ignore[attr-defined]  # of the model's own tokenizer
    if base.template:
        (place / "chat_template.jinja").write_text(base.template, encoding="utf-8")
