"""In: the models, their tokenizers. Out: the tokenizer page's answers; see `assistant.pages`.

show (the models at hand) · text · compare (English against Spanish) · chat (what a template adds) · fetch (a vocabulary
that OpenAI publishes). Which model and which texts are looked at is the browser's affair: nothing is kept here.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Literal, assert_never

from pydantic import BeforeValidator, Field, TypeAdapter

from assistant.history.words import whole
from assistant.models.catalogue import naming
from assistant.pages.door import Action, Show, answered
from knowledge import KnowledgeError
from knowledge.pages.wording import Words
from tuning.counting.shown import shown
from tuning.counting.tokens import Counter, Rule
from tuning.counting.vocabularies import Tokenizers
from tuning.pages import of
from tuning.pages import tokenizer_view as view
from tuning.values import Role, Turn, conversation

if TYPE_CHECKING:
    from assistant.models import Models

PUBLISHED = {  # a model of each vocabulary → those that share it
    "openai:gpt-4o": "GPT-4o, GPT-4.1, GPT-5",
    "openai:gpt-3.5-turbo": "GPT-3.5, GPT-4",
}
Name = Annotated[str, Field(min_length=1, max_length=naming.LONGEST)]
_Whole = BeforeValidator(lambda given: whole(given) if isinstance(given, str) else given)  # half an emoji is sent, too
Short = Annotated[str, _Whole, Field(max_length=view.SHORT)]
Long = Annotated[str, _Whole, Field(max_length=view.LONGEST)]


class OfText(Action):
    do: Literal["text"]
    model: Name
    text: Long


class Compare(Action):
    do: Literal["compare"]
    model: Name
    english: Short
    spanish: Short


class Chat(Action):
    do: Literal["chat"]
    model: Name
    question: Short
    answer: Short


class Fetch(Action):
    do: Literal["fetch"]
    model: Name


_door: TypeAdapter[Any] = TypeAdapter(
    Annotated[Show | OfText | Compare | Chat | Fetch, Field(discriminator="do")],
)


class TokenizerPage:
    """Knows no Gradio."""

    place = of("tokenizer", icon="tokens", key="k")

    def __init__(self, models: Models, tokenizers: Tokenizers) -> None:
        self._models, self._tokenizers = models, tokenizers

    def shell(self, say: Words) -> str:
        return view.shell(say)

    def answer(self, payload: Any, say: Words) -> dict[str, Any]:
        return answered(_door, payload, say, self._answer)

    def _answer(self, action: Any, say: Words) -> dict[str, Any]:
        match action:
            case Show(stamp=stamp):
                drawn = self._drawn(say)
                return {} if stamp == drawn["stamp"] else drawn
            case OfText(model=model, text=text):
                return self._text(model, text, say)
            case Compare():
                counter = self._tokenizers.counter(action.model)
                english, spanish = _counted(counter, action.english), _counted(counter, action.spanish)
                return {"regions": {"compare": view.compare(english, spanish, counter, say)}}
            case Chat():
                return self._chat(action, say)
            case Fetch(model=model):
                return self._fetch(model, say)
            case _:
                assert_never(action)

    def _drawn(self, say: Words) -> dict[str, Any]:
        region = view.models(self._choices(say), say)
        return {"stamp": hashlib.sha256(region.encode()).hexdigest()[:16], "regions": {"models": region}}

    def _choices(self, say: Words) -> list[view.Choice]:
        """Those of the models page, and of the vocabularies that are published one each."""
        titles = {card.name: card.title for card in self._models.listed(say.language)}
        titles |= {name: title for name, title in PUBLISHED.items() if name not in titles}
        return [view.Choice(name, title, self._tokenizers.at_hand(name)) for name, title in titles.items()]

    def _text(self, model: str, text: str, say: Words) -> dict[str, Any]:
        counter = self._tokenizers.counter(model)
        fetchable = counter.rule is not Rule.OWN and self._vocabulary(model) is not None
        return {"regions": {"text": view.text(_counted(counter, text), counter, fetchable, say)}}

    def _chat(self, action: Chat, say: Words) -> dict[str, Any]:
        counter = self._tokenizers.counter(action.model)
        example = conversation(
            Turn(Role.SYSTEM, say("tokenizer_system_text")),
            Turn(Role.USER, action.question),
            Turn(Role.ASSISTANT, action.answer),
        )
        try:
            drawn = view.chat(shown(example, counter), counter, say)
        except KnowledgeError as error:  # a template that cannot write this
            drawn = view.refused(error.said(say.language))
        return {"regions": {"chat": drawn}}

    def _fetch(self, model: str, say: Words) -> dict[str, Any]:
        from tuning.counting.vocabularies import hosted

        wanted = self._vocabulary(model)
        if wanted is not None:
            hosted.fetch(wanted)
        return {**self._drawn(say), "fetched": True, "said": say("tokenizer_fetched")}

    @staticmethod
    def _vocabulary(model: str) -> Any:
        from tuning.counting.vocabularies import hosted

        kind, _, rest = model.partition(":")
        return hosted.vocabulary(rest) if kind == "openai" else None


def _counted(counter: Counter, text: str) -> view.Counted:
    pieces = counter.pieces(text)
    return view.Counted(text, pieces, len(pieces) if counter.rule is Rule.OWN else counter.count(text))
