"""In: the name of a model. Out: a LangChain chat model, and text from it. One file per provider, one table.

    local:smollm2-135m     on this machine: OpenVINO where it runs, else transformers
    openai:<model>         OpenAI, with a key
    http://host/v1#<model> any server that speaks chat completions: vLLM, llama.cpp, LM Studio, Ollama
    scripted:<text>        says that text; for tests and demonstrations

Importing this loads no model and no vendor. Knows nothing of routes, documents or pages.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assistant.errors import AssistantError, ForOperator, ForPerson, TryAgain
from assistant.models.asking import write
from assistant.models.engine import Engine
from knowledge import KnowledgeError
from knowledge import weights as weight_files

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.models.keys import Keys

__all__ = ["DEFAULT", "ModelState", "Models", "write"]

DEFAULT = "local:smollm2-135m"
KNOWN = (DEFAULT, "openai:<model>", "http://host/v1#<model>", "scripted:<text>")
_LOCAL = {"local:smollm2-135m": "smollm2-135m"}  # name → its weights
Stage = Literal["absent", "fetching", "loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class ModelState:
    """Where a model stands, for a page to show. `done` and `total` are bytes while fetching, else 0."""

    name: str
    stage: Stage
    done: int = 0
    total: int = 0
    message: str = ""


class Models:
    """Every model by its name, made once and kept. Safe to use from several threads."""

    def __init__(self, weights: Path, *, keys: Mapping[str, str] | Keys | None = None, default: str = DEFAULT) -> None:
        """`keys`: provider → secret, for "openai" and "http"; asked when a model is made, not before."""
        self._weights = weights
        self._keys: Mapping[str, str] | Keys = keys if keys is not None else {}
        self._default = default
        self._made: dict[str, BaseChatModel] = {}
        self._engines: dict[tuple[str, bool], Engine] = {}  # (weights, can wear adapters)
        self._states: dict[str, ModelState] = {}
        self._warming: dict[str, threading.Thread] = {}
        self._table = threading.Lock()
        self._loading = threading.Lock()
        self._closing = threading.Event()

    def get(self, name: str = "") -> BaseChatModel:
        """Quick: a local model's weights are loaded when it is first asked, or by `warm`."""
        name = name or self._default
        with self._table:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def state(self, name: str = "") -> ModelState:
        name = name or self._default
        if name in self._states:
            return self._states[name]
        if name not in _LOCAL:
            return ModelState(name, "ready")
        known = {state.name: state.present for state in weight_files.states(self._weights)}
        return ModelState(name, "loading" if known[_LOCAL[name]] else "absent")

    def warm(self, name: str = "") -> None:
        """Fetch what is missing and load it, in the background. `state` tells how it goes. Harmless to repeat."""
        name = name or self._default
        if name not in _LOCAL:
            return
        with self._table:
            thread = self._warming.get(name)
            if thread is None or (not thread.is_alive() and self.state(name).stage == "failed"):
                self._warming[name] = threading.Thread(target=self._warm, args=(name,), name="warm", daemon=True)
                self._warming[name].start()

    def close(self) -> None:
        self._closing.set()
        for thread in list(self._warming.values()):
            thread.join()
        with self._loading:
            for engine in self._engines.values():
                engine.close()
            self._engines.clear()

    def _make(self, name: str) -> BaseChatModel:
        kind, _, rest = name.partition(":")
        if name in _LOCAL:
            from assistant.models.local import LocalChat

            return LocalChat(model=name, engine=lambda adapter: self._engine(name, adapter is not None))
        if kind == "openai" and rest:
            from assistant.models.openai import hosted

            return hosted(rest, self._keys.get("openai"))
        if kind in ("http", "https"):
            from assistant.models.openai import served

            return served(name, self._keys.get("http"))
        if kind == "scripted":
            from assistant.models.scripted import scripted

            return scripted(rest)
        raise ForPerson(f"There is no model called {name}. Known: {', '.join(KNOWN)}.")

    def _warm(self, name: str) -> None:
        try:
            for step in weight_files.fetch(_LOCAL[name], self._weights, stop=self._closing):
                if step.source:
                    self._states[name] = ModelState(name, "fetching", step.done, step.total, step.message)
            if not self._closing.is_set():
                self._engine(name, adapters=False, fetching=False)
        except (KnowledgeError, AssistantError) as error:
            self._states[name] = ModelState(name, "failed", message=str(error))
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]
            sentence = f"The model could not be loaded ({reason}). Run `afina doctor`."
            self._states[name] = ModelState(name, "failed", message=sentence)

    def _engine(self, name: str, adapters: bool, fetching: bool = True) -> Engine:
        """Loaded now if it was not; whoever comes meanwhile waits for that one load."""
        if fetching and self.state(name).stage == "fetching":
            state = self._states[name]
            raise TryAgain(
                f"The model is still being fetched ({state.done // 10**6} of {state.total // 10**6} MB). "
                "Try again in a moment."
            )
        with self._loading:
            key = (_LOCAL[name], adapters)
            if self._closing.is_set():
                raise TryAgain("The app is closing. Start it again.")
            if key not in self._engines:
                self._states[name] = ModelState(name, "loading")
                self._engines[key] = self._load(_LOCAL[name], adapters)
            self._states[name] = ModelState(name, "ready")
            return self._engines[key]

    def _load(self, weights: str, adapters: bool) -> Engine:
        gguf = next(weight_files.path(weights, self._weights).glob("*.gguf"))
        if not adapters:
            try:
                from assistant.models.engine_openvino import OpenVinoEngine

                return OpenVinoEngine(gguf)
            except (ImportError, RuntimeError, ForOperator):  # no wheel for this platform, or a processor it cannot use
                pass
        from assistant.models.engine_transformers import TransformersEngine

        return TransformersEngine(gguf)
