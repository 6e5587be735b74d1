"""In: what a person or a persona wants of the next answer. Out: one frozen value, checked. Knows no provider.

Inference(temperature=0)                       greedy: always the likeliest token
Inference(temperature=0.8, top_p=0.9, seed=7)  sampling
persona.settings.over(app) → the persona's where it says something, else the app's
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_TOKENS = 32_768

Stop = Annotated[str, Field(min_length=1, max_length=64)]


class Inference(BaseModel):
    """None (and no `stop`): not said, the next one's word or the provider's default holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_tokens: int | None = Field(default=None, ge=1, le=MAX_TOKENS)  # of the answer, the model's own tokens
    temperature: float | None = Field(default=None, ge=0.0, le=2.0)  # 0: greedy
    top_k: int | None = Field(default=None, ge=1, le=1000)  # tokens to choose among
    top_p: float | None = Field(default=None, gt=0.0, le=1.0)  # … or as many as hold this much probability
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    stop: tuple[Stop, ...] = Field(default=(), max_length=4)  # the text ends before the first of these

    def over(self, other: Inference) -> Inference:
        """This one's words, and `other`'s where this one says nothing."""
        return Inference(**(other.model_dump(exclude_defaults=True) | self.model_dump(exclude_defaults=True)))


UNSAID = Inference()
