"""In: JOB/config.json. Out: Settings, checked. Fields that are not known are refused, by name.

{"format": "afina-training/1", "base": "local:smollm2-135m", "weights": "/home/…/weights", "method": "lora",
 "epochs": 3, "batch": 8, "learning_rate": 0.0005, "lora": {"r": 16, "alpha": 32}}
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.models.local.loading import DEFAULT
from tuning.errors import ForPerson

FORMAT = "afina-training/1"
LARGEST = 1_000_000  # bytes of config.json
Method = Literal["lora", "dora", "rslora", "ia3", "bottleneck", "prompt", "norms", "last", "full"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lora(_Part):
    """Of lora, dora and rslora (Hu et al. 2021; Liu et al. 2024; Kalajdzievski 2023)."""

    r: int = Field(default=16, ge=1, le=1024)
    alpha: float = Field(default=32.0, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)  # above 0, PEFT's own and slower way is taken
    targets: tuple[str, ...] = ()  # names of linear layers; none: all but the head


class Ia3(_Part):
    targets: tuple[str, ...] = ()  # none: what PEFT knows to be right for the kind of model
    feedforward: tuple[str, ...] = ()


class Prompt(_Part):
    vectors: int = Field(default=20, ge=1, le=1000)
    text: str = Field(default="", max_length=10_000)  # whose embeddings they begin as; "": tokens drawn by the seed


class Bottleneck(_Part):
    size: int = Field(default=32, ge=1, le=4096)
    after: tuple[str, ...] = ("o_proj", "down_proj")  # linear layers that end an attention or a feed-forward block


class Last(_Part):
    layers: int = Field(default=2, ge=1, le=1000)


class Teacher(_Part):
    """Its logits are learned beside the tokens (Hinton et al. 2015); the tokenizer must be the same one."""

    base: str
    temperature: float = Field(default=2.0, gt=0, le=100)
    weight: float = Field(default=0.5, ge=0, le=1)  # of the teacher; the rest is the tokens'


class Sample(_Part):
    """What the model is asked as it learns."""

    prompt: str = Field(max_length=10_000)
    system: str = Field(default="", max_length=10_000)


class Settings(_Part):
    format: Literal["afina-training/1"] = "afina-training/1"
    base: str = DEFAULT  # local:smollm2-135m | hf:<folder or repository that was fetched>
    weights: str  # folder of the weights on this machine, as the app knows it
    method: Method = "lora"
    recipe: str = ""  # whose defaults were taken, for people
    seed: int = Field(default=7, ge=0, lt=2**31)

    epochs: float = Field(default=3.0, gt=0, le=10_000)
    max_steps: int | None = Field(default=None, ge=1)  # in place of epochs
    batch: int = Field(default=8, ge=1, le=100_000)  # rows that one step learns from
    step_tokens: int | None = Field(default=None, ge=16, le=100_000_000)  # in place of batch: rows that fill so many
    pack_tokens: int = Field(default=1024, ge=16, le=1_000_000)  # read at once, at most: what memory grows with
    max_length: int = Field(default=1024, ge=8, le=1_000_000)  # tokens of a row; longer ones are cut, texts divided
    learn: Literal["answers", "all"] = "answers"  # which tokens carry loss
    share_prefix: bool = True  # what rows of a pack begin with alike (a system's message) is read once

    learning_rate: float = Field(default=5e-4, gt=0, le=10)
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    warmup: float = Field(default=0.05, ge=0, lt=1)  # share of the steps
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    clip: float = Field(default=1.0, gt=0)  # norm of the gradient
    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    threads: int | None = Field(default=None, ge=1, le=1024)
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: an NVIDIA GPU where there is one
    processes: int = Field(default=1, ge=1, le=64)  # that learn together, a GPU each: a step needs as many packs
    step: Literal["auto", "packed", "flat", "compiled"] = "auto"  # how packs are read: engine.learners

    validation_share: float = Field(default=0.1, ge=0, le=0.5)  # of train.jsonl where there is no validation.jsonl
    eval_every: int = Field(default=20, ge=0)  # steps; 0: at the end alone
    eval_rows: int = Field(default=200, ge=1)  # of the validation rows, the first so many
    save_every: int = Field(default=20, ge=1)  # steps
    sample_every: int = Field(default=0, ge=0)  # steps; 0: at the end alone
    samples: tuple[Sample, ...] = Field(default=(), max_length=20)
    sample_tokens: int = Field(default=40, ge=1, le=2000)
    keep: int = Field(default=2, ge=1, le=100)  # checkpoints beside the best one
    time_cap: float | None = Field(default=None, gt=0)  # seconds of learning, over all resumptions

    lora: Lora = Lora()
    ia3: Ia3 = Ia3()
    prompt: Prompt = Prompt()
    bottleneck: Bottleneck = Bottleneck()
    last: Last = Last()
    teacher: Teacher | None = None

    @property
    def fingerprint(self) -> str:
        """16 hex digits of what decides the outcome: a checkpoint of other settings is not gone on with."""
        free = {"recipe", "weights", "threads", "keep", "time_cap", "save_every", "samples", "sample_every"}
        free |= {"sample_tokens", "eval_every", "eval_rows", "format", "device", "processes", "step"}
        free |= {"step_tokens"} if self.step_tokens is None else set()
        row = self.model_dump(mode="json", exclude=free)
        return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:16]


def read(file: Path) -> Settings:
    """ForPerson where it is missing, no JSON, or holds what is not known."""
    try:
        if file.stat().st_size > LARGEST:
            raise ValueError("it is too long")
        return Settings.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _refused(file, f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}") from None
    except (OSError, ValueError) as error:
        raise _refused(file, getattr(error, "strerror", None) or str(error)) from None


def _refused(file: Path, why: str) -> ForPerson:
    return ForPerson(
        f"{file} cannot be used ({why}). Mend it, or make the job anew.",
        spanish=f"No se puede usar {file} ({why}). Corrígelo o crea el trabajo de nuevo.",
    )
