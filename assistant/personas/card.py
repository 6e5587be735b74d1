"""In: YAML, JSON or a form. Out: a Persona: one frozen card, checked at this door; the same card is the exported file.

    {"name": "Marv", "picture": "🙄", "voice": "Marv is a factual chatbot that is also sarcastic.",
     "examples": [{"user": "What's the capital of France?", "assistant": "Paris, as if everyone doesn't know that."}],
     "model": "local:smollm2-135m", "settings": {"temperature": 0.7}, "facts": true}

Knows nothing of stores, models or pages.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from assistant.models.inference import UNSAID, Inference

NAME = r"^[^\W_][\w .'’-]{0,39}$"  # begins with a letter or a digit
PICTURE_BYTES = 200_000

Text = Annotated[str, Field(max_length=8_000)]
# Its loss on rows it has not seen did not fall; its answers to unseen questions got worse; it forgot what it knew.
Doubt = Literal["loss", "answers", "forgot"]


class _Card(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Example(_Card):
    """One exchange that shows the voice; it stands in the prompt before the conversation."""

    user: Text = Field(min_length=1)
    assistant: Text = Field(min_length=1)


class Lineage(_Card):
    """Where a tuned persona comes from: shown, never guessed."""

    origin: Literal["tuned", "imported"] = "tuned"
    source: str = Field(default="", max_length=200)  # of an imported one: what its folder was called
    dataset: str = Field(default="", max_length=200)  # name and version
    base: str = Field(default="", max_length=200)  # the model it was tuned from
    method: str = Field(default="", max_length=40)  # "lora", "dpo", …
    job: str = Field(default="", max_length=64)
    evaluation: dict[str, float] = Field(default_factory=dict)  # metric → value, on data it was not tuned on
    trained_at: str = Field(default="", max_length=40)  # ISO 8601
    although: tuple[Doubt, ...] = ()  # published in spite of what was measured


class Source(_Card):
    """A document of the persona's collection, by its bytes: a card can travel to another library."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    title: str = Field(default="", max_length=300)


class Persona(_Card):
    format: Literal["afina-persona/1"] = "afina-persona/1"
    name: str = Field(pattern=NAME)
    picture: str = Field(default="", max_length=PICTURE_BYTES)  # an emoji, or data:image/png|jpeg|webp;base64,…
    voice: Text = ""  # the system prompt
    examples: tuple[Example, ...] = Field(default=(), max_length=20)  # zero, one or few shots
    # Said before facts that its model could not say in its voice: "Fine, I read that for you."
    remarks: tuple[Annotated[str, Field(min_length=1, max_length=300)], ...] = Field(default=(), max_length=20)
    greeting: str = Field(default="", max_length=1_000)  # what it says in an empty chat
    language: Literal["", "en", "es"] = ""  # it speaks this one always; "": the person's
    model: str = Field(default="", max_length=255)  # "": the app's
    adapter: str = Field(default="", max_length=1_000)  # folder with a PEFT adapter for that model; local models only
    template: Annotated[str, Field(max_length=20_000)] = ""  # Jinja chat template it was tuned with; "": the model's
    settings: Inference = UNSAID
    tools: tuple[str, ...] | None = Field(default=None, max_length=64)  # allowed; None: all, (): none
    collection: tuple[Source, ...] | None = Field(default=None, max_length=1_000)  # None: all documents
    facts: bool = False  # documents are searched first, then it speaks over what they say
    lineage: Lineage | None = None

    @field_validator("picture")
    @classmethod
    def _is_a_picture(cls, value: str) -> str:
        if value.startswith("data:"):
            if not re.fullmatch(r"data:image/(?:png|jpeg|webp);base64,[A-Za-z0-9+/=]+", value):
                raise ValueError("a picture is a PNG, JPEG or WebP as a data URI, or an emoji")
        elif len(value) > 16:
            raise ValueError("a picture is an emoji, or a data URI")
        return value

    @property
    def handle(self) -> str:
        return handle(self.name)

    def plain(self) -> dict[str, Any]:
        """As JSON; what was left at its default is left out, so that a file stays readable."""
        return {"format": self.format, **self.model_dump(mode="json", exclude_defaults=True)}


def handle(name: str) -> str:
    """What @name is compared by: "Doña Marta" → "dona-marta"."""
    letters = unicodedata.normalize("NFD", name.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^\w]+", "-", plain).strip("-")
