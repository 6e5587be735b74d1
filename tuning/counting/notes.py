"""What is said beside a number: a code and its values, put into words for whoever reads it, in English or Spanish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from assistant.sentences import speaker
from tuning.counting.tokens import Rule

_say = speaker(
    {
        "said": ("{en}", "{es}"),
        "other_rule": ("By {rule} it would be {tokens} tokens.", "Con {rule} serían {tokens} tokens."),
        "price": (
            "Price: {price} {currency} per million tokens ({source}, {date}).",
            "Precio: {price} {currency} por millón de tokens ({source}, {date}).",
        ),
        "no_price": (
            "No price is known for {model}: give one per million tokens.",
            "No se conoce el precio de {model}: indica uno por millón de tokens.",
        ),
        "price_missing": (
            "There is no price: name a model, or give one per million tokens.",
            "Falta el precio: indica un modelo o un precio por millón de tokens.",
        ),
        "probe": (
            "Time and memory were measured here on {steps} steps of {tokens} tokens ({precision}).",
            "El tiempo y la memoria se midieron aquí en {steps} pasos de {tokens} tokens ({precision}).",
        ),
        "ends": (
            "{model} is shut down on {date}, and what was tuned from it.",
            "{model} se retira el {date}, junto con lo que se haya ajustado a partir de él.",
        ),
        "ended": (
            "{model} was shut down on {date}: it can no longer be tuned.",
            "{model} se retiró el {date}: ya no se puede ajustar.",
        ),
        "jobs": (
            "New jobs can be started until {date}, by those who have tuned there before.",
            "Se pueden iniciar trabajos hasta el {date}, si ya se habían hecho ajustes allí antes.",
        ),
        "no_jobs": (
            "No new jobs can be started since {date}.",
            "Desde el {date} no se pueden iniciar trabajos nuevos.",
        ),
        "cut": (
            "Examples longer than the model's limit ({limit} tokens), which would be cut: {n}.",
            "Ejemplos más largos que el límite del modelo ({limit} tokens), que se cortarían: {n}.",
        ),
        "few": (
            "The provider asks for at least {least} examples; there are {n}.",
            "El proveedor pide al menos {least} ejemplos; hay {n}.",
        ),
        "many": (
            "The provider takes at most {most} examples; there are {n}.",
            "El proveedor admite como máximo {most} ejemplos; hay {n}.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Note:
    code: str
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def said(self, language: str) -> str:
        return _say(self.code, language, **{name: _value(value, language) for name, value in self.values.items()})


def _value(value: Any, language: str) -> str:
    if isinstance(value, Rule):
        return value.said(language)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        whole = value == int(value)
        text = f"{int(value):,}" if whole else f"{value:,}"
        return text.translate(str.maketrans(",.", ".,")) if language == "es" else text
    return str(value)
