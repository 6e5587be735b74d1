"""In: a model's name, as assistant.models has them. Out: a counter: its own tokenizer where it is at hand, or a rule.

    local:smollm2-135m, hf:<folder or repository>    the tokenizer that lies in the weights; nothing is fetched
    openai:<model>                                   its vocabulary, once that is on this machine; else words ÷ 0.75
    ollama:, vertex:, http://…#…, scripted:          characters ÷ 4

Importing this imports no vendor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from assistant.models.catalogue import naming
from assistant.models.local import hf
from assistant.models.local.loading import DEFAULT
from knowledge import KnowledgeError
from knowledge import weights as weight_files
from tuning.counting.tokens import Counter, Rule, RuleCounter

__all__ = ["Tokenizers"]
_Made = tuple[int, Counter]  # with the time its file was last changed


class Tokenizers:
    """Each is made when first asked for, and kept as long as its file stays the same. Safe from several threads."""

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._made: dict[str, _Made] = {}
        self._lock = threading.Lock()

    def counter(self, model: str = DEFAULT) -> Counter:
        """ForPerson where that is no model's name. One whose tokenizer is missing or damaged is counted by a rule, and
        its `note` says why."""
        model = naming.checked(model)
        kind, _, rest = model.partition(":")
        if kind == "local" and model != DEFAULT:
            raise naming.unknown(model)
        if kind in ("local", "hf"):
            return self._here(model, rest)
        return self._hosted(model, rest) if kind == "openai" else _thumb(model)

    def at_hand(self, model: str) -> bool:
        """Whether `counter` would be exact; reads no vocabulary unless it has to."""
        try:
            return self.counter(model).rule is Rule.OWN
        except KnowledgeError:
            return False

    def _here(self, model: str, rest: str) -> Counter:
        try:
            file = self._file(model, rest)
        except KnowledgeError as error:
            return RuleCounter(model, Rule.WORDS_OVER, (error.said("en"), error.said("es")))
        if file is None:
            return _absent(model)
        from tuning.counting.vocabularies import own

        def load() -> Counter:
            return own.default(model, file) if file.suffix == ".gguf" else own.in_folder(model, file.parent)

        try:
            return self._kept(model, file, load)
        except (OSError, ValueError, KeyError, TypeError) as error:
            return _damaged(model, error)

    def _file(self, model: str, rest: str) -> Path | None:
        """The file a tokenizer is read from; None where there is none."""
        base = None
        if model != DEFAULT:
            source = hf.find(rest, self._weights)
            if source.missing:
                return None
            base = source.base
        if base is None:
            return next(weight_files.path("smollm2-135m", self._weights).glob("*.gguf"))
        file = base / "tokenizer.json"
        return file if file.is_file() else None

    def _hosted(self, model: str, rest: str) -> Counter:
        from tuning.counting.vocabularies import hosted

        wanted = hosted.vocabulary(rest.removeprefix("openai:"))
        if wanted is None:
            return _thumb(model)
        if not wanted.here:
            return RuleCounter(
                model,
                Rule.WORDS_OVER,
                (
                    f"The vocabulary of {model} ({wanted.name}) is not on this machine, so words are counted.",
                    f"El vocabulario de {model} ({wanted.name}) no está en esta máquina, así que se cuentan palabras.",
                ),
            )
        return self._kept(model, wanted.file, lambda: hosted.counter(model, wanted))

    def _kept(self, model: str, file: Path, load: Callable[[], Counter]) -> Counter:
        changed = file.stat().st_mtime_ns
        with self._lock:
            made = self._made.get(model)
            if made is None or made[0] != changed:
                made = self._made[model] = (changed, load())
            return made[1]


def _thumb(model: str) -> RuleCounter:
    return RuleCounter(
        model,
        Rule.CHARACTERS,
        (
            f"No tokenizer of {model} is at hand, so characters are counted.",
            f"No hay a mano ningún tokenizador de {model}, así que se cuentan caracteres.",
        ),
    )


def _absent(model: str) -> RuleCounter:
    return RuleCounter(
        model,
        Rule.WORDS_OVER,
        (
            f"The tokenizer of {model} (tokenizer.json) is not on this machine, so words are counted.",
            f"El tokenizador de {model} (tokenizer.json) no está en esta máquina, así que se cuentan palabras.",
        ),
    )


def _damaged(model: str, error: Exception) -> RuleCounter:
    why = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return RuleCounter(
        model,
        Rule.WORDS_OVER,
        (
            f"The tokenizer of {model} cannot be read ({why}), so words are counted.",
            f"No se puede leer el tokenizador de {model} ({why}), así que se cuentan palabras.",
        ),
    )
