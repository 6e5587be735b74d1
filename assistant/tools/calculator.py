"""calculator: arithmetic, exact where it can be.

    calculate("0.1 + 0.2").shown("en") → "0.3"      calculate("15 % de 80", "es").shown("es") → "12"

In: an expression as people write it. Out: a number. The text becomes a Python expression (arithmetic.py), its syntax
tree is walked, and only the nodes below are obeyed: nothing is ever run. Every step is bounded, so 9**9**9 is refused
within a millisecond instead of filling the memory.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext
from fractions import Fraction

from pydantic import Field

from assistant.sentences import speaker
from assistant.tools import arithmetic, numerals
from assistant.tools.tool import Arguments, Result, Tool, ToolError, Work

LONGEST = arithmetic.LONGEST
BITS = 3_400  # of a numerator or denominator: about 1,000 digits
ROOTS = 20  # sought exactly, up to the twentieth
FACTORIAL = 449  # the last one with at most 1,000 digits
Number = Fraction | Decimal  # exact | to 40 digits

_CONTEXT = Context(prec=40, Emax=1_000, Emin=-1_000, traps=[Overflow, InvalidOperation, DivisionByZero])
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**"}

say = speaker(
    {
        "empty": (
            "There is nothing to calculate: write something like 12 × 3.",
            "No hay nada que calcular: escribe algo como 12 × 3.",
        ),
        "long": (
            "The expression is longer than {limit} characters: split it.",
            "La expresión tiene más de {limit} caracteres: divídela.",
        ),
        "unread": (
            "I cannot calculate {what!r}: write numbers, + - × ÷ ^ %, parentheses, or functions such as sqrt(2).",
            "No puedo calcular {what!r}: escribe números, + - × ÷ ^ %, paréntesis o funciones como sqrt(2).",
        ),
        "zero": ("That divides by zero, which has no result.", "Eso divide entre cero, que no tiene resultado."),
        "big": (
            "That number has more than 1,000 digits, too many to calculate: use smaller numbers.",
            "Ese número tiene más de 1.000 cifras, demasiadas para calcularlo: usa números más pequeños.",
        ),
        "real": (
            "That has no result among the real numbers, such as the square root of -1.",
            "Eso no tiene resultado entre los números reales, como la raíz cuadrada de -1.",
        ),
        "factorial": (
            "A factorial is of a whole number from 0 to {limit}.",
            "El factorial es de un número entero de 0 a {limit}.",
        ),
        "whole": ("{name} takes whole numbers.", "{name} necesita números enteros."),
        "count": (
            "{name} takes {takes} and was given {count}.",
            "{name} lleva {lleva} y recibió {count}.",
        ),
    }
)


class Calculator(Arguments):
    expression: str = Field(
        description="Arithmetic to work out, e.g. '12 * 3', '15% of 80', 'sqrt(2) + 1'. Angles are in radians; "
        "write sin(30°) for degrees."
    )


@dataclass(frozen=True, slots=True)
class Calculated:
    expression: str  # as it was written, spaces put in order
    value: Number

    def shown(self, language: str = "en") -> str:
        return numerals.shown(self.value, language)

    def spoken(self, language: str = "en") -> str:
        """12 × 3 = 36; ≈ where digits were left out."""
        sign = "=" if numerals.is_exact(self.value) else "≈"
        return f"{typeset(self.expression, language)} {sign} {self.shown(language)}"


def typeset(expression: str, language: str = "en") -> str:
    """For people: 0.15 * 80 → 0.15 × 80, in Spanish 0,15 × 80. Three digits after a point may be thousands."""

    def decimal(found: re.Match[str]) -> str:
        digits = found[2] if len(found[2]) == 3 else found[2].rstrip("0") or "0"
        point = "," if language == "es" and len(found[2]) != 3 else "."
        return f"{found[1]}{point}{digits}"

    text = expression.replace("**", "^").replace("*", "×").replace(" / ", " ÷ ")
    return re.sub(r"(?<![\d.,])(\d+)\.(\d+)(?![\d.,])", decimal, text)


def calculate(expression: str, language: str = "en") -> Calculated:
    """Raises ToolError with one sentence, in milliseconds, for whatever is not arithmetic or too big."""
    if not expression.strip(" =?¿"):
        raise _error("empty")
    if len(expression) > LONGEST:
        raise _error("long", limit=LONGEST)
    try:
        source, numbers = arithmetic.plain(expression, language)
        tree = ast.parse(source, mode="eval").body
        with localcontext(_CONTEXT):
            value = _Worth(numbers).of(tree)
    except arithmetic.NotArithmetic as error:
        raise _error("unread", what=error.what) from None
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        raise _error("unread", what=expression.strip()[:60]) from None
    except (ZeroDivisionError, DivisionByZero):
        raise _error("zero") from None
    except (OverflowError, Overflow):
        raise _error("big") from None
    except InvalidOperation:
        raise _error("real") from None
    return Calculated(" ".join(expression.strip(" =?¿").split()), value)


class _Worth:
    """What a syntax tree is worth. A node that is not named here is refused."""

    def __init__(self, numbers: Sequence[Fraction]) -> None:
        self._numbers = numbers

    def of(self, node: ast.expr) -> Number:
        match node:
            case ast.Name(id=name):
                return self._named(name)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return -self.of(inner)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.of(inner)
            case ast.BinOp(op=sign, left=left, right=ast.Call(func=ast.Name(id="percent"))) if isinstance(
                sign, ast.Add | ast.Sub
            ):  # 80 + 15 % is 92, as on every pocket calculator
                share = self.of(node.right)
                return _bounded(_both("*", self.of(left), 1 + share if isinstance(sign, ast.Add) else 1 - share))
            case ast.BinOp(op=sign, left=left, right=right) if type(sign) in _OPERATORS:
                return _bounded(_both(_OPERATORS[type(sign)], self.of(left), self.of(right)))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
                return self._called(name, [self.of(argument) for argument in arguments])
        raise ValueError("a node that is not named here")

    def _named(self, name: str) -> Number:
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if name[1:].isdecimal():
            return _bounded(self._numbers[int(name[1:])])
        raise arithmetic.NotArithmetic(name)

    @staticmethod
    def _called(name: str, given: list[Number]) -> Number:
        function, least, most = _FUNCTIONS[name]
        if not least <= len(given) <= most:
            raise _error(
                "count", name=name, count=len(given), takes=_takes(least, most), lleva=_takes(least, most, "es")
            )
        return _bounded(function(*given))


def _takes(least: int, most: int, language: str = "en") -> str:
    number = ("número" if language == "es" else "number") + "s" * (most > 1)
    if least == most:
        return f"{most} {number}"
    return f"de {least} a {most} {number}" if language == "es" else f"{least} to {most} {number}"


def _both(sign: str, left: Number, right: Number) -> Number:
    if sign == "**":
        return _power(left, right)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        left, right = _decimal(left), _decimal(right)
        if sign in ("//", "%"):
            whole = _exact_floor(_fraction(left) / _fraction(right))
            return whole if sign == "//" else left - _decimal(whole) * right
        return {"+": left.__add__, "-": left.__sub__, "*": left.__mul__, "/": left.__truediv__}[sign](right)
    if sign in ("//", "%"):
        whole = _exact_floor(left / right)
        return whole if sign == "//" else left - whole * right
    return {"+": left.__add__, "-": left.__sub__, "*": left.__mul__, "/": left.__truediv__}[sign](right)


def _power(base: Number, power: Number) -> Number:
    if isinstance(base, Fraction) and isinstance(power, Fraction):
        if power.denominator == 1:
            size = max(base.numerator.bit_length(), base.denominator.bit_length())
            if base not in (0, 1, -1) and abs(power.numerator) * (size - 1) > BITS:
                raise OverflowError
            return base**power.numerator if base not in (0, 1, -1) else _small_power(int(base), power.numerator)
        if power.denominator <= ROOTS:
            return _power(_root(base, power.denominator), Fraction(power.numerator))
    if base < 0 and _fraction(power).denominator != 1:
        raise InvalidOperation
    if base == 0:
        return _small_power(0, 1 if power > 0 else -1)
    return _decimal(base) ** _decimal(power)


def _small_power(base: int, power: int) -> Fraction:
    """Of -1, 0 and 1, whatever the power's size."""
    if base == 0 and power < 0:
        raise ZeroDivisionError
    return Fraction(1 if power == 0 else base if power % 2 else base * base)


def _root(value: Number, n: int = 2) -> Number:
    """Exact where it is one: √(9/4) = 3/2, 8**(1/3) = 2."""
    if value < 0:
        if n != 3:
            raise InvalidOperation
        return -_root(-value, n)
    if value == 0:
        return Fraction(0)
    near = _decimal(value).sqrt() if n == 2 else (_decimal(value).ln() / n).exp()
    if isinstance(value, Fraction):
        over, under = (_whole_root(part, n) for part in (value.numerator, value.denominator))
        if over**n == value.numerator and under**n == value.denominator:
            return Fraction(over, under)
    return near


def _whole_root(value: int, n: int) -> int:
    """The whole number whose nth power is `value`, where there is one."""
    if n == 2:
        return math.isqrt(value)
    return int((Decimal(value).ln() / n).exp().to_integral_value())


def _decimal(value: Number) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(value.numerator) / Decimal(value.denominator)


def _fraction(value: Number) -> Fraction:
    return Fraction(value)


def _exact_floor(value: Fraction) -> Fraction:
    return Fraction(math.floor(value))


def _bounded(value: Number) -> Number:
    if isinstance(value, Fraction) and max(value.numerator.bit_length(), value.denominator.bit_length()) > BITS:
        raise OverflowError
    return value


def _whole(name: str, value: Number) -> int:
    if not isinstance(value, Fraction) or value.denominator != 1:
        raise _error("whole", name=name)
    return value.numerator


def _factorial(value: Number) -> Number:
    if not isinstance(value, Fraction) or value.denominator != 1 or not 0 <= value <= FACTORIAL:
        raise _error("factorial", limit=FACTORIAL)
    return Fraction(math.factorial(value.numerator))


def _round(value: Number, places: Number = Fraction(0)) -> Number:
    """Half away from zero, as people do: 2.5 → 3."""
    digits = _whole("round", places)
    if abs(digits) > 100:
        raise OverflowError
    scaled = _fraction(value) * Fraction(10) ** digits
    return Fraction(math.floor(abs(scaled) + Fraction(1, 2)) * (1 if scaled >= 0 else -1)) / Fraction(10) ** digits


def _log(value: Number, base: Number = Fraction(10)) -> Number:
    if value <= 0 or base <= 0:
        raise InvalidOperation
    result = _decimal(value).ln() / _decimal(base).ln()
    near = Fraction(int(result.to_integral_value()))
    exact = abs(near) < 400 and isinstance(value, Fraction) and isinstance(base, Fraction)
    return near if exact and _power(base, near) == value else result


def _ln(value: Number) -> Number:
    if value <= 0:
        raise InvalidOperation
    return Fraction(0) if value == 1 else _decimal(value).ln()


def _float(function: Callable[[float], float]) -> Callable[[Number], Number]:
    """By the machine's own function: good to 15 places, so what lies below them is no news (sin π = 0)."""

    def called(value: Number) -> Number:
        try:
            result = function(float(value))
        except ValueError:
            raise InvalidOperation from None
        if abs(result) > 1e15:  # tan 90°: no result, but the machine's π is not quite π
            raise InvalidOperation
        return Fraction(round(Decimal(result), 15))

    return called


def _mean(*values: Number) -> Number:
    return _both("/", _sum(*values), Fraction(len(values)))


def _sum(*values: Number) -> Number:
    total: Number = Fraction(0)
    for value in values:
        total = _both("+", total, value)
    return total


_CONSTANTS: dict[str, Number] = {
    "pi": Decimal("3.141592653589793238462643383279502884197"),
    "tau": Decimal("6.283185307179586476925286766559005768394"),
    "e": Decimal("2.718281828459045235360287471352662497757"),
}
_MANY = 200
_FUNCTIONS: dict[str, tuple[Callable[..., Number], int, int]] = {  # (function, fewest and most arguments)
    "percent": (lambda value: _both("/", value, Fraction(100)), 1, 1),
    "degrees": (lambda value: _both("*", value, _both("/", _CONSTANTS["pi"], Fraction(180))), 1, 1),
    "sqrt": (_root, 1, 1),
    "cbrt": (lambda value: _root(value, 3), 1, 1),
    "sin": (_float(math.sin), 1, 1),
    "cos": (_float(math.cos), 1, 1),
    "tan": (_float(math.tan), 1, 1),
    "asin": (_float(math.asin), 1, 1),
    "acos": (_float(math.acos), 1, 1),
    "atan": (_float(math.atan), 1, 1),
    "exp": (lambda value: _decimal(value).exp(), 1, 1),
    "ln": (_ln, 1, 1),
    "log": (_log, 1, 2),
    "log2": (lambda value: _log(value, Fraction(2)), 1, 1),
    "abs": (abs, 1, 1),
    "floor": (lambda value: Fraction(math.floor(value)), 1, 1),
    "ceil": (lambda value: Fraction(math.ceil(value)), 1, 1),
    "factorial": (_factorial, 1, 1),
    "round": (_round, 1, 2),
    "max": (lambda *values: max(values, key=_fraction), 1, _MANY),
    "min": (lambda *values: min(values, key=_fraction), 1, _MANY),
    "sum": (_sum, 1, _MANY),
    "mean": (_mean, 1, _MANY),
    "gcd": (lambda *values: Fraction(math.gcd(*(_whole("gcd", value) for value in values))), 1, _MANY),
    "lcm": (lambda *values: Fraction(math.lcm(*(_whole("lcm", value) for value in values))), 1, _MANY),
}


def _error(key: str, **values: object) -> ToolError:
    return ToolError(say(key, "en", **values), spanish=say(key, "es", **values))


def run(given: Calculator, work: Work) -> Result:
    found = calculate(given.expression, work.language)
    spoken = found.spoken(work.language)
    return Result(text=spoken, spoken=spoken, value=found.shown("en"))


TOOL = Tool(
    name="calculator",
    title={"en": "Calculator", "es": "Calculadora"},
    description="Works out arithmetic exactly: + - * / ^ %, parentheses, roots, logarithms, trigonometry, factorials. "
    "Use it for every calculation instead of doing it yourself. Returns 'expression = result'.",
    arguments=Calculator,
    run=run,
)
