"""In: the name of a model. Out: a LangChain chat model, text from it, and what it can do. One file per provider.

    local:smollm2-135m     on this machine: OpenVINO where it runs, else transformers
    hf:<folder or repo>    any causal language model of the Hugging Face kind, or an adapter, on this machine
    openai:<model>         OpenAI, with a key
    ollama:<model>         an Ollama, on this machine or where the settings say
    vertex:<model>         Gemini, by a key or on Vertex AI
    http://host/v1#<model> any server that speaks chat completions: vLLM, llama.cpp, LM Studio, …
    scripted:<text>        says that text; for tests and demonstrations

Importing this loads no model and no vendor. Knows nothing of routes, documents or pages.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError, ForOperator, ForPerson
from assistant.models.asking import write
from assistant.models.catalogue import Capabilities, capabilities, naming
from assistant.models.local.loading import DEFAULT, Loading, ModelState
from assistant.models.remote.servers import Ollamas

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.models.catalogue.added import Added, AddedModels
    from assistant.models.catalogue.cards import ModelCard
    from assistant.models.keys import Keys

Row = dict[str, Any]

__all__ = ["DEFAULT", "ModelState", "Models", "write"]


class Models:
    """Every model by its name, made once and kept. Safe to use from several threads."""

    def __init__(
        self,
        weights: Path,
        *,
        keys: Mapping[str, str] | Keys | None = None,
        default: str = "",
        added: AddedModels | None = None,
        places: Mapping[str, str] | None = None,
    ) -> None:
        """`keys`: provider → secret; asked when a model is made, not before. `default`: wins over a person's choice.
        `added`: where models of a person's own are kept; None: nowhere. `places`: "ollama" → its address ("": this
        machine), "project" and "location" → those of Vertex AI."""
        self._places = dict(places or {})
        self._keys: Mapping[str, str] | Keys = keys if keys is not None else {}
        self._set = default
        self.added = added
        self._made: dict[str, tuple[str | None, BaseChatModel]] = {}  # with the key it was made with
        self.loading = Loading(weights, lambda: self._keys.get("hf"))
        self.ollamas = Ollamas(self._places.get("ollama", ""))
        self._table = threading.Lock()

    @property
    def default(self) -> str:
        """The settings' model, else the one a person chose for the app, else the one that is always here."""
        return self._set or (self.added.default if self.added else "") or DEFAULT

    @property
    def default_is_set(self) -> bool:
        """Whether the settings name it, so that no choice would count."""
        return bool(self._set)

    def get(self, name: str = "") -> BaseChatModel:
        """Quick: a local model's weights are loaded when it is first asked, or by `warm`. ForPerson or ForOperator
        where there is no such model or it lacks its key. A key that was changed is used from the next call on."""
        name = name or self.default
        key = self.key(name)
        with self._table:
            made = self._made.get(name)
            if made is None or made[0] != key:
                made = self._made[name] = (key, self._make(name, key))
            return made[1]

    def capabilities(self, name: str = "", language: str = "en") -> Capabilities:
        """What it can do, as far as a file and earlier tests tell: nobody is asked, so it is quick."""
        name = name or self.default
        takes: Mapping[str, str] | None = None
        facts = self._facts(name)
        try:
            model = self.get(name)
        except AssistantError:  # no key yet, or no such model: `get` says so to whoever asks it something
            pass
        else:
            takes = model.takes(language) if hasattr(model, "takes") else None
            if hasattr(model, "calls_tools"):
                facts["tools"] = model.calls_tools
        return capabilities(name, facts=facts, takes=takes)

    def listed(self, language: str = "en", *, wait: float = 0.0) -> list[ModelCard]:
        """The default one, those a person added, those found. `wait`: seconds for an Ollama to be found."""
        from assistant.models.catalogue.cards import cards

        return cards(self, language, wait)

    def test(self, name: str = "", *, stop: threading.Event | None = None, language: str = "en") -> Iterator[Row]:
        """Steps of a short talk with it (`assistant.models.catalogue.trial`); what they show is kept. `language`: of
        the question, and of each row's "message"."""
        from assistant.models.catalogue.trial import trial

        name = name or self.default
        context = self.capabilities(name).context
        for row in trial(name, self.get(name), context, stop or threading.Event(), language):
            if row["step"] == "done" and self.added:
                self.added.learn(name, row["facts"])
            yield {**row, "message": row["said"][language]}

    def add(self, name: str, title: str = "", facts: Mapping[str, Any] | None = None) -> ModelCard:
        """On the list from now on. ForPerson where it is no model's name; it need not be there or answer yet."""
        name = naming.checked(name)
        self._store().add(name, title.strip()[:200], facts)
        return next(card for card in self.listed() if card.name == name)

    def remove(self, name: str) -> Added:
        """Off the list; what it was, so that `add` brings it back as it was. The app's model falls back with it."""
        store = self._store()
        was = store.get(name)
        if was is None or not was.listed:
            raise ForPerson(
                f"{name} is not among the models that were added. `afina models list` shows them.",
                spanish=f"{name} no está entre los modelos añadidos. `afina models list` los muestra.",
            )
        store.remove(name)
        if store.default == name:
            store.default = ""
        return was

    def use(self, name: str) -> None:
        """The app's model from now on, for every chat and persona that names none."""
        name = naming.checked(name)
        if self._set and name != self._set:
            raise ForPerson(
                f"The settings name the model ({self._set}), which wins. Change AFINA_MODEL, or choose a model for one "
                "chat or persona.",
                spanish=f"El modelo está fijado en los ajustes ({self._set}), que prevalecen. Cambia AFINA_MODEL o "
                "elige un modelo para un chat o un personaje.",
            )
        self.get(name)
        self._store().default = name

    def key(self, name: str) -> str | None:
        """The secret this model is asked with; None where it needs none or has none."""
        provider = name.partition(":")[0]
        if provider in ("http", "https"):
            return self._keys.get(name.partition("#")[0]) or self._keys.get("http")
        return self._keys.get(provider)

    def state(self, name: str = "") -> ModelState:
        name = name or self.default
        return self.loading.state(name) if self.loading.knows(name) else ModelState(name, "ready")

    def check(self, name: str = "") -> BaseChatModel:
        """As `get`, and it raises also what a folder of this machine lacks to be a model. Loads nothing."""
        name = name or self.default
        model = self.get(name)
        if self.loading.knows(name):
            self.loading.check(name)
        return model

    def warm(self, name: str = "") -> None:
        """Fetch what is missing and load it, in the background. `state` tells how it goes. Harmless to repeat."""
        name = name or self.default
        if self.loading.knows(name):
            self.loading.warm(name)

    def close(self) -> None:
        self.loading.close()

    def _facts(self, name: str) -> dict[str, Any]:
        """What a folder's files or an Ollama say of a model, and over it what was found out."""
        if name.startswith("hf:"):
            row = self._row(name)
            return {**self.loading.facts(name), **(row.facts if row else {})}
        offered = self.ollamas.models() if name.startswith("ollama:") else ()
        one = next((one for one in offered if f"ollama:{one.id}" == name), None)
        said = {"tools": one.tools, "context": one.context, "size": one.size} if one else {}
        row = self._row(name)
        return {**said, **(row.facts if row else {})}

    def _store(self) -> AddedModels:
        if self.added is None:
            raise ForOperator(
                "There is no database to keep models in.", spanish="No hay base de datos para guardar modelos."
            )
        return self.added

    def _row(self, name: str) -> Added | None:
        return self.added.get(name) if self.added else None

    def _make(self, name: str, key: str | None) -> BaseChatModel:
        kind, _, rest = name.partition(":")
        if self.loading.knows(name) and rest:
            from assistant.models.local.chat import LocalChat

            return LocalChat(model=name, engine=lambda adapter: self.loading.engine(name, adapter))
        if kind == "openai" and rest:
            from assistant.models.remote.openai import hosted

            return hosted(rest, key)
        if kind in ("http", "https"):
            from assistant.models.remote.openai import served

            return served(name, key)
        if kind == "ollama":
            from assistant.models.remote import ollama

            return ollama.chat(rest, self._places.get("ollama", ""))
        if kind == "vertex":
            from assistant.models.remote import vertex

            project, location = self._places.get("project", ""), self._places.get("location", "")
            return vertex.chat(rest, key, project=project, location=location)
        if kind == "scripted":
            from assistant.models.scripted import scripted

            return scripted(rest)
        raise naming.unknown(name)
