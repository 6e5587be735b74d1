"""In: the models, the keys. Out: the models page's answers; see `assistant.pages`.

show · test (step by step, while the page looks) · use · warm · look (a name is added, an address asked what it has) ·
add · remove · restore · key · forget · next (what the local model would write) · let-in · shut-out (other programs, by
a key of the app's own). A provider's key comes in and never goes out; the app's own is shown once, when it is made.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Annotated, Any, Literal, assert_never

from pydantic import Field, SecretStr, TypeAdapter

from assistant.models.catalogue import naming
from assistant.models.catalogue.trial import LANGUAGES
from assistant.models.inference import Inference
from assistant.models.keys import Keys
from assistant.models.local.probabilities import next_tokens
from assistant.pages import Place, programs_view
from assistant.pages import models_view as view
from assistant.pages.door import Action, Show, answered
from assistant.sentences import speaker
from knowledge import KnowledgeError
from knowledge.pages.wording import Words

if TYPE_CHECKING:
    from assistant.models import Models
    from assistant.models.catalogue.added import Added
    from assistant.openai_api import ApiKey

BUSY = 8.0  # seconds a look at probabilities waits for an answer that is being written
say_ = speaker(
    {"failed": ("The test stopped with an error; the log has the details.", "La prueba se detuvo por un error.")}
)
Name = Annotated[str, Field(min_length=1, max_length=naming.LONGEST)]


class OnOne(Action):
    do: Literal["test", "use", "warm", "add", "remove", "restore"]
    name: Name


class Look(Action):
    do: Literal["look"]
    address: str = Field(max_length=naming.LONGEST)


class SetKey(Action):
    do: Literal["key"]
    provider: Name
    secret: SecretStr = Field(max_length=8_192)


class Forget(Action):
    do: Literal["forget"]
    provider: Name


class Next(Action):
    do: Literal["next"]
    text: str = Field(max_length=2_000)
    settings: Inference


class Programs(Action):
    do: Literal["let-in", "shut-out"]


_door: TypeAdapter[Any] = TypeAdapter(
    Annotated[Show | OnOne | Look | SetKey | Forget | Next | Programs, Field(discriminator="do")]
)


class ModelsPage:
    """Knows no Gradio."""

    place = Place("models", icon="models", key="m")

    def __init__(self, models: Models, keys: Keys, own: ApiKey) -> None:
        """`own`: the key by which other programs talk to the app."""
        self._models, self._keys, self._own = models, keys, own
        self._trials: dict[str, view.Trial] = {}
        self._removed: dict[str, Added] = {}
        self._facts: dict[str, dict[str, Any]] = {}  # of models that servers were found to have
        self._closing = threading.Event()

    def close(self) -> None:
        self._closing.set()

    def shell(self, say: Words) -> str:
        return view.shell(say)

    def answer(self, payload: Any, say: Words) -> dict[str, Any]:
        return answered(_door, payload, say, self._answer)

    def _answer(self, action: Any, say: Words) -> dict[str, Any]:
        match action:
            case Show(stamp=stamp):
                shown = self._shown(say)
                return {} if stamp == shown["stamp"] else shown
            case OnOne():
                return self._on_one(action, say)
            case Look(address=text):
                return self._look(text, say)
            case SetKey():
                return self._key(action, say)
            case Forget(provider=provider):
                self._keys.forget(provider)
                return self._shown(say)
            case Next():
                return self._next(action, say)
            case Programs(do=do):
                return self._programs(do, say)
            case _:
                assert_never(action)

    def _shown(self, say: Words) -> dict[str, Any]:
        cards = self._models.listed(say.language)
        regions = {
            "list": view.listing(cards, self._trials, self._models.default_is_set, say),
            "keys": view.keys(self._keys.listed(), say),
            "programs": programs_view.state(self._own.shown(), say),
        }
        stamp = hashlib.sha256("".join(regions.values()).encode()).hexdigest()[:16]
        testing = any(trial.running for trial in self._trials.values())
        return {"stamp": stamp, "regions": regions, "testing": testing}

    def _on_one(self, action: OnOne, say: Words) -> dict[str, Any]:
        name, more = action.name, dict[str, Any]()
        match action.do:
            case "test":
                self._test(name, say.language)
            case "use":
                self._models.use(name)
                more = {"said": say("models_used", name=name)}
            case "warm":
                self._models.warm(name)
            case "add":
                self._models.add(name, facts=self._facts.get(name))
                more = {"said": say("models_added", name=name), "added": name}
            case "remove":
                self._removed[name] = self._models.remove(name)
                self._trials.pop(name, None)
                more = {"removed": name, "undo": say("models_removed", name=name)}
            case "restore":
                if (was := self._removed.pop(name, None)) is not None:
                    self._models.add(was.name, was.title, was.facts)
        return {**self._shown(say), **more}

    def _look(self, text: str, say: Words) -> dict[str, Any]:
        """A whole name is added at once; an address is asked what it has. What is neither is said beside the field."""
        text = text.strip()
        try:
            if "#" in text or (not text.startswith(("http://", "https://")) and _is_name(text)):
                name = naming.checked(text)
                self._models.add(name, facts=self._facts.get(name))
                added = {"said": say("models_added", name=name), "added": name}
                shown = self._shown(say)
                return {**shown, "regions": {**shown["regions"], "found": ""}, **added}
            offered = self._probe(text)
        except KnowledgeError as error:
            return {"problem": error.said(say.language), "regions": {"found": ""}}
        known = frozenset(card.name for card in self._models.listed() if card.origin == "added")
        return {"regions": {"found": view.found(offered, known, say)}}

    def _probe(self, address: str) -> list[dict[str, Any]]:
        from assistant.models_verbs import models_probe

        offered = list(models_probe(self._models, address=address))
        for one in offered:
            facts = {"context": one["context"], "tools": one["tools"], "size": one["size"]}
            self._facts[one["name"]] = {name: value for name, value in facts.items() if value not in (None, "")}
        return offered

    def _key(self, action: SetKey, say: Words) -> dict[str, Any]:
        try:
            self._keys.set(action.provider, action.secret.get_secret_value())
        except KnowledgeError as error:
            return {"problem": error.said(say.language)}
        return {**self._shown(say), "said": say("models_key_kept")}

    def _programs(self, do: str, say: Words) -> dict[str, Any]:
        made = ""
        if do == "let-in":
            made = programs_view.made(self._own.make(), say)
        else:
            self._own.off()
        shown = self._shown(say)
        return {**shown, "regions": {**shown["regions"], "made": made}}

    def _test(self, name: str, language: str) -> None:
        """In a thread of its own; a second press while it runs does nothing."""
        if (running := self._trials.get(name)) and running.running:
            return
        trial = self._trials[name] = view.Trial()

        def work() -> None:
            try:
                for row in self._models.test(name, stop=self._closing, language=language):
                    trial.rows.append(row)
            except KnowledgeError as error:
                trial.rows.append({"ok": False, "said": {one: error.said(one) for one in LANGUAGES}})
            except Exception:
                trial.rows.append({"ok": False, "said": {one: say_("failed", one) for one in LANGUAGES}})
                raise
            finally:
                trial.running = False

        threading.Thread(target=work, name="model-test", daemon=True).start()

    def _next(self, action: Next, say: Words) -> dict[str, Any]:
        stop = threading.Event()
        timer = threading.Timer(BUSY, stop.set)
        timer.daemon = True
        timer.start()
        try:
            found = next_tokens(self._models, action.text, action.settings, stop=stop)
        except KnowledgeError as error:
            return {"regions": {"bars": f'<p class="state fair">{view.attr(error.said(say.language))}</p>'}}
        finally:
            timer.cancel()
        return {"regions": {"bars": view.bars(found, say)}}


def _is_name(text: str) -> bool:
    """A provider's word before the colon; "localhost:8000" is an address."""
    return text.partition(":")[0] in ("local", "hf", "openai", "ollama", "vertex", "scripted") or ":" not in text
