"""In: a name, "local:…" or "hf:…". Out: its engine, loaded once, and where it stands meanwhile.

A thread per model fetches and loads in the background; whoever asks before that waits for the one load. The default
model has an engine of its own (OpenVINO) while it wears nothing; another one, with adapters, when it does. Of other
models the last MOST used stay in memory.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assistant.errors import AssistantError, ForOperator, TryAgain
from assistant.models.local import hf
from assistant.models.local.engine import CONTEXT, Engine
from knowledge import KnowledgeError
from knowledge import weights as weight_files

DEFAULT = "local:smollm2-135m"
MOST = 2  # models other than the default one
_LOCAL = {DEFAULT: "smollm2-135m"}  # name → its weights
_FACTS = {"context": CONTEXT, "size": "135M"}  # of what an adapter upon the default model is
Stage = Literal["absent", "fetching", "loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class ModelState:
    """Where a model stands, for a page to show. `done` and `total` are bytes while fetching, else 0."""

    name: str
    stage: Stage
    done: int = 0
    total: int = 0
    message: str = ""
    spanish: str = ""  # the message where the person reads Spanish

    def said(self, language: str) -> str:
        return self.spanish if language == "es" and self.spanish else self.message


class Loading:
    def __init__(self, weights: Path, token: Callable[[], str | None]) -> None:
        """`token`: the hub's, asked for when something is fetched."""
        self._weights = weights
        self._token = token
        self._engines: OrderedDict[tuple[str, bool], Engine] = OrderedDict()  # (weights or folder, wears adapters)
        self._states: dict[str, ModelState] = {}
        self._warming: dict[str, threading.Thread] = {}
        self._table = threading.Lock()
        self._loading = threading.Lock()
        self._closing = threading.Event()

    def knows(self, name: str) -> bool:
        return name in _LOCAL or name.startswith("hf:")

    def state(self, name: str) -> ModelState:
        if name in self._states:
            return self._states[name]
        try:
            return ModelState(name, "loading" if not self._missing(name) else "absent")
        except (KnowledgeError, AssistantError) as error:
            return _failed(name, error)

    def check(self, name: str) -> None:
        """Raises what a folder lacks to be a model. What can be fetched is not lacking; nothing is loaded."""
        self._missing(name)

    def facts(self, name: str) -> dict[str, Any]:
        """{"context", "size"} as the files say it; {} while they are not here."""
        if name in _LOCAL:
            return {}
        try:
            source = hf.find(name.removeprefix("hf:"), self._weights)
        except (KnowledgeError, AssistantError):
            return {}
        if source.missing:
            return {}
        return hf.facts(source.base) if source.base else dict(_FACTS)

    def warm(self, name: str) -> None:
        """Fetch what is missing and load it, in the background. Harmless to repeat."""
        with self._table:
            thread = self._warming.get(name)
            if thread is None or (not thread.is_alive() and self.state(name).stage == "failed"):
                self._states.pop(name, None)
                self._warming[name] = threading.Thread(target=self._warm, args=(name,), name="warm", daemon=True)
                self._warming[name].start()

    def engine(self, name: str, adapter: Path | None) -> Engine:
        """What answers as this model; an "hf:" adapter folder is already worn where the message names no other."""
        if name in _LOCAL:
            return self._engine(name, _LOCAL[name], None, adapter is not None)
        if self._missing(name):
            self.warm(name)
            raise self._still_fetching(name)
        source = hf.find(name.removeprefix("hf:"), self._weights)
        worn = adapter or source.adapter
        if source.base is None:
            engine = self._engine(name, _LOCAL[DEFAULT], None, worn is not None)
        elif source.base.parent == self._weights.absolute() / hf.DEFAULT_WEIGHTS:
            engine = _AsFolder(self._engine(name, _LOCAL[DEFAULT], None, True))
        else:
            engine = self._engine(name, str(source.base), source.base, True)
        return _Wearing(engine, source.adapter) if source.adapter else engine

    def close(self) -> None:
        self._closing.set()
        for thread in list(self._warming.values()):
            thread.join()
        with self._loading:
            for engine in self._engines.values():
                engine.close()
            self._engines.clear()

    def _missing(self, name: str) -> tuple[str, ...]:
        if name in _LOCAL:
            present = {state.name: state.present for state in weight_files.states(self._weights)}
            return () if present[_LOCAL[name]] else (_LOCAL[name],)
        return hf.find(name.removeprefix("hf:"), self._weights).missing

    def _warm(self, name: str) -> None:
        try:
            self._fetch(name)
            if not self._closing.is_set():
                if name in _LOCAL:
                    self._engine(name, _LOCAL[name], None, False, fetching=False)
                else:
                    self._states.pop(name, None)
                    self.engine(name, None)
        except (KnowledgeError, AssistantError) as error:
            self._states[name] = _failed(name, error)
        except Exception as error:
            self._states[name] = _failed(name, _unloadable(name, error))

    def _fetch(self, name: str) -> None:
        if name in _LOCAL:
            for step in weight_files.fetch(_LOCAL[name], self._weights, stop=self._closing):
                if step.source:
                    self._states[name] = ModelState(name, "fetching", step.done, step.total, step.message)
            return

        def progress(done: int, total: int) -> None:
            self._states[name] = ModelState(name, "fetching", done, total)

        for _ in range(2):  # an adapter's repository names a base, which may be missing as well
            for repository in self._missing(name):
                progress(0, 0)
                hf.fetch(repository, self._weights, self._token(), self._closing, progress)

    def _still_fetching(self, name: str) -> TryAgain:
        state = self._states.get(name) or ModelState(name, "fetching")
        if state.stage == "failed":
            return TryAgain(state.message, spanish=state.spanish)
        done, total = state.done // 10**6, state.total // 10**6
        return TryAgain(
            f"The model is still being fetched ({done} of {total} MB). Try again in a moment.",
            spanish=f"El modelo aún se está descargando ({done} de {total} MB). Inténtalo dentro de un momento.",
        )

    def _engine(self, name: str, weights: str, folder: Path | None, adapters: bool, fetching: bool = True) -> Engine:
        """Loaded now if it was not; whoever comes meanwhile waits for that one load."""
        if fetching and self.state(name).stage == "fetching":
            raise self._still_fetching(name)
        with self._loading:
            key = (weights, adapters)
            if self._closing.is_set():
                raise TryAgain(
                    "The app is closing. Start it again.", spanish="La aplicación se está cerrando. Ábrela de nuevo."
                )
            if key not in self._engines:
                self._states[name] = ModelState(name, "loading")
                self._engines[key] = self._load(name, weights, folder, adapters)
                self._make_room(key)
            self._engines.move_to_end(key)
            self._states[name] = ModelState(name, "ready")
            return self._engines[key]

    def _make_room(self, newest: tuple[str, bool]) -> None:
        others = [key for key in self._engines if key[0] not in _LOCAL.values() and key != newest]
        for key in others[: len(others) + 1 - MOST] if newest[0] not in _LOCAL.values() else ():
            self._engines.pop(key).close()

    def _load(self, name: str, weights: str, folder: Path | None, adapters: bool) -> Engine:
        from_gguf = folder is None
        gguf = next(weight_files.path(weights, self._weights).glob("*.gguf")) if from_gguf else None
        if gguf and not adapters:
            try:
                from assistant.models.local.engine_openvino import OpenVinoEngine

                return OpenVinoEngine(gguf)
            except (ImportError, RuntimeError, ForOperator):  # no wheel for this platform, or a processor it cannot use
                pass
        from assistant.models.local.engine_transformers import TransformersEngine

        if gguf:
            return TransformersEngine(gguf)
        assert folder
        try:
            return TransformersEngine(folder)
        except Exception as error:
            problem = _unloadable(name, error)
            self._states[name] = _failed(name, problem)
            raise problem from error


class _AsFolder:
    """The default model's engine that wears adapters, asked by the folder its weights were turned into: no second copy
    of them is loaded."""

    adapters = True

    def __init__(self, engine: Any) -> None:
        self.prompt, self.generate, self.together = engine.in_own_words, engine.generate, engine.together
        self.scores, self.scored, self.piece, self.close = engine.scores, engine.scored, engine.piece, engine.close


class _Wearing:
    """An engine that wears this adapter where a message names no other."""

    adapters = True

    def __init__(self, engine: Engine, adapter: Path) -> None:
        self._adapter = adapter
        self.prompt, self.close = engine.prompt, engine.close
        self._engine = engine

    def generate(self, prompt, sampling, stop, adapter=None):  # type: ignore[no-untyped-def]
        return self._engine.generate(prompt, sampling, stop, adapter or self._adapter)

    def together(self, prompts, sampling, stop, adapter=None):  # type: ignore[no-untyped-def]
        return self._engine.together(prompts, sampling, stop, adapter or self._adapter)  # type: ignore[attr-defined]

    def scores(self, prompt, stop, adapter=None):  # type: ignore[no-untyped-def]
        return self._engine.scores(prompt, stop, adapter or self._adapter)  # type: ignore[attr-defined]

    def scored(self, rows, stop, adapter=None):  # type: ignore[no-untyped-def]
        return self._engine.scored(rows, stop, adapter or self._adapter)  # type: ignore[attr-defined]

    def piece(self, token: int) -> str:
        return str(self._engine.piece(token))  # type: ignore[attr-defined]


def _failed(name: str, error: KnowledgeError) -> ModelState:
    return ModelState(name, "failed", message=str(error), spanish=error.said("es"))


def _unloadable(name: str, error: Exception) -> ForOperator:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    reason = lines[-1][:200] if name in _LOCAL else lines[0][:200]
    english = f"The model {name} could not be loaded ({reason})."
    if "trust_remote_code" in str(error) or "remote code" in str(error):
        english = f"The model {name} needs code of its own to run, and code that comes with a model is never run here."
        spanish = f"El modelo {name} necesita código propio, y aquí nunca se ejecuta código que venga con un modelo."
        return ForOperator(f"{english} Choose another model.", spanish=f"{spanish} Elige otro modelo.")
    return ForOperator(
        f"{english} Run `afina doctor`, or choose another model.",
        spanish=f"No se pudo cargar el modelo {name} ({reason}). Ejecuta `afina doctor` o elige otro modelo.",
    )
