"""convert: an amount in one unit as another, exactly.

    convert(5, "km", "millas")       → Converted(5, "km", Fraction(3.1068…), "mi")
    convert(100, "°C", "fahrenheit") → 212 °F: offsets are minded

In: a number and two names of units, English or Spanish. Out: the number in the other one. The vendor's table is loaded
at the first call and kept; amounts are fractions, so that nothing is lost on the way.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from assistant.sentences import speaker
from assistant.tools import numerals, units
from assistant.tools.tool import Arguments, Result, Tool, ToolError, Work

DIGITS = 7  # shown of what does not end sooner
MOST = Decimal("1e30")

say = speaker(
    {
        "unknown": (
            "I do not know the unit {unit!r}. Name it in full, such as kilometres, pounds or litres.",
            "No conozco la unidad {unit!r}. Escríbela entera, como kilómetros, libras o litros.",
        ),
        "incompatible": (
            "{unit} cannot be converted to {to}: they measure different things.",
            "{unit} no se puede convertir a {to}: miden cosas distintas.",
        ),
        "currency": (
            "Currencies are not converted here: their rates change every minute. Search the web for the rate.",
            "Aquí no se convierten monedas: su cambio varía cada minuto. Busca el cambio en la web.",
        ),
        "big": (
            "That number is too big to convert: use one below 10^30.",
            "Ese número es demasiado grande para convertirlo: usa uno menor que 10^30.",
        ),
        "zero": ("That would divide by zero.", "Eso dividiría entre cero."),
        "cold": (
            "There is nothing colder than absolute zero, −273.15 °C.",
            "No hay nada más frío que el cero absoluto, −273,15 °C.",
        ),
    }
)
_LOADING = threading.Lock()
_TEMPERATURES = ("degree_Celsius", "degree_Fahrenheit", "kelvin", "degree_Rankine")


def _number(value: Any) -> Any:
    """What a model may send as text: "3,5", "1 000"."""
    if isinstance(value, str):
        try:
            return float(numerals.read(value))
        except (numerals.NotANumber, OverflowError):
            return value
    return value


class Convert(Arguments):
    value: Annotated[float, BeforeValidator(_number)] = Field(description="How much.", allow_inf_nan=False)
    unit: str = Field(description="Its unit: km, pounds, °C, litros, km/h, square feet …", max_length=60)
    to: str = Field(description="The unit to convert to.", max_length=60)


@dataclass(frozen=True, slots=True)
class Converted:
    value: Fraction
    unit: units.Unit
    result: Fraction
    to: units.Unit

    def shown(self, language: str = "en") -> str:
        """3.106856 mi"""
        return _amount(_short(self.result), self.to, language)

    def spoken(self, language: str = "en") -> str:
        """5 km ≈ 3.106856 mi"""
        sign = "=" if _short(self.result) == self.result and numerals.is_exact(self.result) else "≈"
        return f"{_amount(self.value, self.unit, language)} {sign} {self.shown(language)}"


def convert(value: float | str | Fraction | Decimal, unit: str, to: str) -> Converted:
    """Raises ToolError with one sentence: a unit that is not known, two that do not fit, a currency."""
    if units.is_currency(unit) or units.is_currency(to):
        raise _error("currency")
    amount = value if isinstance(value, Fraction) else Fraction(str(value))
    if abs(amount) >= MOST:
        raise _error("big")
    start, end = _pair(unit, to)
    if start.vendor in _TEMPERATURES and amount < _absolute_zero(start.vendor):
        raise _error("cold")
    return Converted(amount, start, _converted(amount, start, end), end)


def _pair(unit: str, to: str) -> tuple[units.Unit, units.Unit]:
    """Both units; where one name has two meanings, the one that fits the other: ounces to litres, degrees to °F."""
    start, end = _found(unit), _found(to)
    if start.vendor == "degree" and end.vendor in _TEMPERATURES:
        start = _other_temperature(end)
    elif end.vendor == "degree" and start.vendor in _TEMPERATURES:
        end = _other_temperature(start)
    if not _fit(start, end):
        fluid = units.find("fl oz")
        if start.vendor == "ounce" and _fit(fluid, end):
            start = fluid
        elif end.vendor == "ounce" and _fit(start, fluid):
            end = fluid
        else:
            raise _error("incompatible", unit=unit.strip(), to=to.strip())
    return start, end


def _other_temperature(known: units.Unit) -> units.Unit:
    return units.find("celsius" if known.vendor == "degree_Fahrenheit" else "fahrenheit")


def _found(name: str) -> units.Unit:
    try:
        unit = units.find(name)
        _registry().parse_units(unit.vendor)
    except Exception as error:
        if isinstance(error, ToolError):
            raise
        raise _error("unknown", unit=name.strip()[:60]) from None
    return unit


def _fit(one: units.Unit, other: units.Unit) -> bool:
    registry = _registry()
    left, right = registry.parse_units(one.vendor), registry.parse_units(other.vendor)
    return bool(left.dimensionality == right.dimensionality)


def _converted(amount: Fraction, start: units.Unit, end: units.Unit) -> Fraction:
    registry = _registry()
    quantity = registry.Quantity(amount, registry.parse_units(start.vendor)).to(registry.parse_units(end.vendor))
    return Fraction(quantity.magnitude)


@cache
def _absolute_zero(vendor: str) -> Fraction:
    return _converted(Fraction(0), units.Unit("kelvin", "K"), units.Unit(vendor, ""))


def _registry() -> Any:
    with _LOADING:  # two turns at once load it once
        return _loaded()


@cache
def _loaded() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(non_int_type=Fraction, autoconvert_offset_to_baseunit=True, cache_folder=None)
    registry.define("quintal_metrico = 100 kilogram")
    registry.define("arroba = 11.5023 kilogram")
    # The vendor's own are of the US survey foot, given up in 2023.
    registry.define("international_acre = 43560 * foot ** 2")
    registry.define("international_furlong = 660 * foot")
    registry.define("international_fathom = 6 * foot")
    return registry


def _amount(value: Fraction, unit: units.Unit, language: str) -> str:
    number = numerals.shown(value, language, DIGITS)
    return f"{number}{'' if unit.shown in '°′″' else ' '}{unit.written(language, one=value == 1)}"


def _short(value: Fraction) -> Fraction:
    """What ends within a few digits is shown whole; anything else keeps DIGITS significant ones."""
    if value.denominator == 1 or (numerals.is_exact(value) and len(numerals.shown(value).replace(",", "")) <= 12):
        return value
    return Fraction(Context(prec=DIGITS).divide(Decimal(value.numerator), Decimal(value.denominator)))


def _error(key: str, **values: object) -> ToolError:
    return ToolError(say(key, "en", **values), spanish=say(key, "es", **values))


def run(given: Convert, work: Work) -> Result:
    found = convert(given.value, given.unit, given.to)
    spoken = found.spoken(work.language)
    value = {"value": float(found.value), "unit": found.unit.written(), "result": float(found.result)}
    value["to"] = found.to.written()
    return Result(text=spoken, spoken=spoken, value=value)


TOOL = Tool(
    name="convert",
    title={"en": "Unit conversion", "es": "Conversión de unidades"},
    description="Converts an amount between units of length, weight, volume, temperature, area, speed, time, data, "
    "energy, power, pressure and more. Units in English or Spanish. No currencies.",
    arguments=Convert,
    run=run,
)
