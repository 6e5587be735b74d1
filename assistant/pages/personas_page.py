"""In: the personas, what this machine offers. Out: the personas page's answers; see `assistant.pages`.

show · open (a form) · save (every problem beside its field, or the card is kept) · duplicate · remove · restore ·
export (a file) · import (a file's bytes) · takes (the settings a model does not take) · try (one question, not kept)
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from threading import Event, Timer
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, assert_never

from pydantic import Field, TypeAdapter

from assistant.models.inference import Inference
from assistant.pages import Place
from assistant.pages import personas_view as view
from assistant.pages.door import Action, Show, answered
from assistant.personas import NameTaken, Persona, Personas, files, voice
from assistant.repeats import without_loop
from assistant.sentences import speaker
from knowledge import Turn
from knowledge.language import detect
from knowledge.pages.wording import Words
from knowledge.values import Document

TRY_SECONDS = 40.0  # a local model on two cores writes 200 tokens in it
TRY_TOKENS = 160

if TYPE_CHECKING:
    from assistant.models import Models
    from assistant.tools.toolbox import Toolbox

sentence = speaker(
    {
        "slow": ("It took too long: ask something shorter.", "Tardó demasiado: pregunta algo más corto."),
        "silent": ("It said nothing: try another question.", "No dijo nada: prueba con otra pregunta."),
    }
)


class Open(Action):
    do: Literal["open"]
    persona: int = Field(ge=0)  # 0: a new one


class Save(Action):
    do: Literal["save"]
    persona: int = Field(ge=0)
    card: dict[str, Any]


class OnOne(Action):
    do: Literal["duplicate", "remove", "restore", "export"]
    persona: int


class Import(Action):
    do: Literal["import"]
    data: str = Field(max_length=1_500_000)  # base64 of at most 1 MB and a byte


class Takes(Action):
    do: Literal["takes"]
    model: str = Field(max_length=255)


class Try(Action):
    do: Literal["try"]
    persona: int = Field(ge=0)
    card: dict[str, Any]
    question: str = Field(min_length=1, max_length=2_000)


Door = Annotated[Show | Open | Save | OnOne | Import | Takes | Try, Field(discriminator="do")]
_door: TypeAdapter[Any] = TypeAdapter(Door)


class Shelf(Protocol):
    @property
    def version(self) -> int: ...

    def documents(self) -> Sequence[Document]: ...


Speak = Callable[[Persona, Sequence[Turn], Event], Iterator[str]]


class PersonasPage:
    """Knows no Gradio. `models` and `tools`: (value, title) of what may be chosen, in a language; `takes`: a model's
    setting → why it does not take it; `get`: a model or an error; `speak`: one answer of a card's own model."""

    place = Place("personas", icon="people", key="p")

    def __init__(
        self,
        personas: Personas,
        library: Shelf,
        *,
        models: Callable[[str], Sequence[tuple[str, str]]],
        tools: Callable[[str], Sequence[tuple[str, str]]],
        takes: Callable[[str, str], Mapping[str, str]],
        get: Callable[[str], object],
        speak: Speak,
    ) -> None:
        self._personas, self._library = personas, library
        self._models, self._tools, self._takes, self._get, self._speak = models, tools, takes, get, speak

    def shell(self, say: Words) -> str:
        return view.shell(say)

    def answer(self, payload: Any, say: Words) -> dict[str, Any]:
        return answered(_door, payload, say, self._answer)

    def _answer(self, action: Any, say: Words) -> dict[str, Any]:
        match action:
            case Show(stamp=stamp):
                return {} if stamp == self._stamp(say) else self._list(say)
            case Open(persona=id_):
                return self._form(id_, say)
            case Save():
                return self._save(action, say)
            case OnOne():
                return self._on_one(action, say)
            case Import(data=data):
                return self._import(data, say)
            case Takes(model=model):
                return {"takes": {name: why for name, why in self._takes(model, say.language).items() if why}}
            case Try():
                return self._try(action, say)
            case _:
                assert_never(action)

    def _stamp(self, say: Words) -> str:
        stamps = [f"{one.id}.{one.updated_at.timestamp()}" for one in self._personas.all()]
        return f"{len(stamps)}.{hash(tuple(stamps)) & 0xFFFFFFFF:x}.{say.language}"

    def _list(self, say: Words) -> dict[str, Any]:
        stamp, everyone = self._stamp(say), self._personas.all()
        missing = {
            one.id: [problem.said(say.language) for problem in files.missing(one.persona, self._get)]
            for one in everyone
        }
        return {"stamp": stamp, "regions": {"list": view.listing(everyone, missing, say)}}

    def _form(self, id_: int, say: Words) -> dict[str, Any]:
        card = self._personas.get(id_).persona if id_ else None
        offers = view.Offers(
            [view.Option(*one) for one in self._models(say.language)],
            [view.Option(*one) for one in self._tools(say.language)],
            [view.Option(d.sha256, d.title) for d in self._library.documents() if d.status.searchable],
        )
        takes = self._takes(card.model if card else "", say.language)
        return {"regions": {"form": view.form(id_, card, offers, takes, say)}}

    def _checked(self, id_: int, values: Mapping[str, Any]) -> Persona:
        """The form's fields as a card; where a tuned one comes from is no field of a form and stays as it was."""
        kept = self._personas.get(id_).persona.lineage if id_ else None
        given = {name: value for name, value in values.items() if name != "lineage"}
        return files.checked(given | ({"lineage": kept.model_dump()} if kept else {}))

    def _save(self, action: Save, say: Words) -> dict[str, Any]:
        try:
            card = self._checked(action.persona, action.card)
            problem = files.adapter_problem(card.adapter)
            if problem:
                raise files.BadCard(problem)
            stored = self._personas.change(action.persona, card) if action.persona else self._personas.add(card)
        except files.BadCard as wrong:
            return _told(wrong, say)
        except NameTaken as taken:
            return {"problems": [{"field": "name", "said": taken.said(say.language)}]}
        saved = {"said": say("personas_saved", name=stored.name), "saved": stored.id}
        return {**self._list(say), **saved}

    def _on_one(self, action: OnOne, say: Words) -> dict[str, Any]:
        match action.do:
            case "duplicate":
                made = self._personas.duplicate(action.persona)
                return {**self._list(say), "said": say("personas_here", name=made.name)}
            case "remove":
                gone = self._personas.remove(action.persona)
                return {**self._list(say), "removed": gone.id, "undo": say("personas_removed", name=gone.name)}
            case "restore":
                back = self._personas.restore(action.persona)
                return {**self._list(say), "said": say("personas_here", name=back.name)}
            case "export":
                card = self._personas.get(action.persona).persona
                text = files.write(card).decode()
                return {"file": {"name": files.file_name(card), "kind": "application/json", "text": text}}

    def _import(self, data: str, say: Words) -> dict[str, Any]:
        try:
            card = files.read(base64.b64decode(data, validate=True))
        except binascii.Error:
            return {"error": say("bad_request")}
        made = self._personas.bring_in(card)
        key = "personas_here" if made.name == card.name else "personas_here_as"
        return {**self._list(say), "said": say(key, name=made.name, wanted=card.name)}

    def _try(self, action: Try, say: Words) -> dict[str, Any]:
        try:
            card = self._checked(action.persona, action.card)
            files.adapter(card)
        except files.BadCard as wrong:
            return _told(wrong, say)
        language = detect(action.question) or say.language
        turns, stop = voice.turns(card, [], action.question, language), Event()
        timer = Timer(TRY_SECONDS, stop.set)
        timer.daemon = True
        timer.start()
        try:
            with closing(self._speak(card, turns, stop)) as pieces:  # type: ignore[type-var]  # a generator
                text = without_loop("".join(pieces)).strip()
        finally:
            timer.cancel()
        late = sentence("slow" if stop.is_set() else "silent", say.language)
        return {"answer": text or late}


def _told(wrong: files.BadCard, say: Words) -> dict[str, Any]:
    """Each problem with its field, called as the form calls it."""
    problems = []
    for one in wrong.problems:
        label = say.sentences.get(f"personas_{one.field.rpartition('.')[2]}", "")
        said = one.said(say.language)
        problems.append({"field": one.field, "said": said.replace(one.field, f"“{label}”", 1) if label else said})
    return {"problems": problems}


def personas_page(personas: Personas, library: Shelf, models: Models, toolbox: Toolbox) -> PersonasPage:
    """The page of the app's own parts."""
    return PersonasPage(
        personas,
        library,
        models=lambda language: [(card.name, card.title) for card in models.listed()],
        tools=lambda language: [(tool.name, tool.title.get(language) or tool.name) for tool in toolbox.all()],
        takes=lambda model, language: models.capabilities(model, language).takes,
        get=models.check,
        speak=lambda card, turns, stop: _spoken(models, card, turns, stop),
    )


def _spoken(models: Models, card: Persona, turns: Sequence[Turn], stop: Event) -> Iterator[str]:
    from assistant.models import write

    limit = Inference(max_tokens=min(TRY_TOKENS, card.settings.max_tokens or TRY_TOKENS))
    pieces = write(
        models.get(card.model),
        turns,
        inference=limit.over(card.settings),
        stop=stop,
        adapter=files.adapter(card),
        template=card.template,
    )
    with closing(pieces):  # type: ignore[type-var]  # a generator
        yield from (piece for piece in pieces if isinstance(piece, str))
