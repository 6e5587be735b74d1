"""In: a base's name. Out: where its weights lie (safetensors), how it is counted, what an adapter calls it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assistant.models.local import hf
from assistant.models.local.engine_transformers import safetensors
from assistant.models.local.loading import DEFAULT
from knowledge import weights as weight_files
from tuning.counting.tokens import Counter
from tuning.counting.vocabularies import Tokenizers
from tuning.errors import ForOperator, ForPerson

# What the assistant's engine writes for the default model (assistant.models.local.engine.chatml), as Jinja.
CHATML = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system\n"
    "You are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@dataclass(frozen=True, slots=True)
class Base:
    name: str  # local:smollm2-135m
    folder: Path  # config.json, *.safetensors
    counter: Counter
    known_as: str  # in adapter_config.json: a repository, or the folder

    @property
    def template(self) -> str:
        """Jinja; "" of a model without one."""
        return CHATML if self.counter.template.kind == "chatml" else self.counter.template.text

    @property
    def bytes(self) -> int:
        return sum(file.stat().st_size for file in self.folder.glob("*.safetensors"))


def find(name: str, weights: Path) -> Base:
    """ForPerson of one that does not run here, ForOperator where it is not on this machine."""
    kind, _, rest = name.partition(":")
    if kind == "hf":
        source = hf.find(rest, weights)
        if source.missing:
            raise _missing(name)
        if source.adapter is not None:
            raise ForPerson(
                f"{name} is an adapter. Choose the model it was trained on as the base.",
                spanish=f"{name} es un adaptador. Elige como base el modelo sobre el que se entrenó.",
            )
        if source.base is not None:
            known_as = str(source.base) if Path(rest).expanduser().is_dir() else rest
            return Base(name, source.base, Tokenizers(weights).counter(name), known_as)
    if name != DEFAULT:
        raise ForPerson(
            f"{name} cannot be tuned on this machine. Choose {DEFAULT}, or hf: and a folder with a model.",
            spanish=f"{name} no se puede ajustar en esta máquina. Elige {DEFAULT}, o hf: y una carpeta con un modelo.",
        )
    try:
        gguf = next(weight_files.path("smollm2-135m", weights).glob("*.gguf"))
    except (StopIteration, OSError):
        raise _missing(name) from None
    return Base(name, safetensors(gguf), Tokenizers(weights).counter(name), hf.DEFAULT_MODEL)


def _missing(name: str) -> ForOperator:
    return ForOperator(
        f"{name} is not on this machine yet. Fetch it on the models page, then start again.",
        spanish=f"{name} aún no está en esta máquina. Descárgalo en la página de modelos y vuelve a empezar.",
    )
