"""In: a form. Out: fields of a job's settings; what of it decides what the job takes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tuning.errors import ForPerson
from tuning.pages.training.doors import Form
from tuning.values import Example

PROMPTS = 20  # at most, of samples
HERE = ("local:", "hf:")  # what can learn on this machine


def said(form: Form, system: str = "") -> dict[str, Any]:
    """`system`: what most rows begin with, so that samples are asked as the rows ask."""
    _can_learn(form.base.strip())
    given: dict[str, Any] = {
        name: value
        for name in ("epochs", "batch", "max_steps", "max_length", "seed")
        if (value := getattr(form, name)) is not None
    }
    given |= {"learn": form.learn, "samples": samples(form.samples, system)}
    if form.learning_rate.strip():
        given["learning_rate"] = _rate(form.learning_rate)
    if form.minutes is not None:
        given["time_cap"] = form.minutes * 60.0
    if form.every is not None:
        given |= {"eval_every": form.every, "save_every": form.every, "sample_every": form.every}
    if form.teacher.strip():
        given["teacher"] = {"base": form.teacher.strip()}
    elif form.recipe == "distil":
        raise ForPerson(
            "This recipe learns from a teacher: name its model among the further settings.",
            spanish="Esta receta aprende de un profesor: indica su modelo entre los ajustes adicionales.",
        )
    return given


def deciding(form: Form) -> dict[str, Any]:
    """What an estimate depends on."""
    return form.model_dump(mode="json", exclude={"name"})


def samples(text: str, system: str = "") -> list[dict[str, str]]:
    prompts = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    return [{"prompt": prompt, "system": system} for prompt in prompts[:PROMPTS]]


def heard(examples: Iterable[Example]) -> str:
    """The system's words that most of them begin with."""
    found = Counter(one.system for one in examples)
    return found.most_common(1)[0][0] if found else ""


def _can_learn(base: str) -> None:
    if base and not base.startswith(HERE):
        raise ForPerson(
            f"{base} cannot be tuned on this machine: choose local:smollm2-135m, or hf: and a folder.",
            spanish=f"{base} no se puede ajustar en esta máquina: elige local:smollm2-135m, o hf: y una carpeta.",
        )


def _rate(text: str) -> float:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        raise ForPerson(
            f"{text.strip()!r} is no learning rate: write a number, like 0.001 or 1e-3.",
            spanish=f"{text.strip()!r} no es una tasa de aprendizaje: escribe un número, como 0,001 o 1e-3.",
        ) from None
