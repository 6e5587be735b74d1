"""In: arithmetic as people write it. Out: the same as a Python expression over named numbers, to be parsed as one.

    plain("15 % de 80", "es")          →  "( percent ( _0 ) ) * _1"   with [15, 80]
    plain("3,5 × (2 + √9)", "es")      →  "_0 * ( _1 + sqrt ( _2 ) )" with [7/2, 2, 9]

Numbers leave the text before Python sees it, so that they stay exact and none is too long to parse; the only names
that can be in the result are those of WORDS and the numbers'. Knows nothing of what an expression is worth.
"""

from __future__ import annotations

import re
from fractions import Fraction

from assistant.tools import numerals

LONGEST = 500  # characters
ONE_ARGUMENT = {
    "sqrt": "sqrt raíz raiz raiz_cuadrada square_root",
    "cbrt": "cbrt cube_root raiz_cubica",
    "sin": "sin sen seno sine",
    "cos": "cos coseno cosine",
    "tan": "tan tg tangente tangent",
    "asin": "asin arcsin arcsen arcoseno",
    "acos": "acos arccos arcocoseno",
    "atan": "atan arctan arctg arcotangente",
    "exp": "exp",
    "ln": "ln",
    "abs": "abs absolute_value valor_absoluto",
    "floor": "floor",
    "ceil": "ceil",
    "factorial": "factorial",
}
MANY_ARGUMENTS = {
    "log": "log logaritmo logarithm log10",
    "log2": "log2",
    "round": "round redondear redondeo",
    "max": "max máximo maximo maximum",
    "min": "min mínimo minimo minimum",
    "sum": "sum suma",
    "mean": "mean average avg media promedio",
    "gcd": "gcd mcd",
    "lcm": "lcm mcm",
}
FUNCTIONS = {name: own for own, names in (ONE_ARGUMENT | MANY_ARGUMENTS).items() for name in names.split()}
CONSTANTS = {"pi": "pi", "π": "pi", "e": "e", "tau": "tau", "τ": "tau"}

_ENDLESS = re.compile(r"[eE][+-]?0*[1-9]\d{4}")  # a power of ten that no number here has
_SUPER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_PHRASES = (  # (what is written, what it means); the longer ones first
    (r"ra[ií]z\s+cuadrada", "raiz_cuadrada"),
    (r"ra[ií]z\s+c[úu]bica", "raiz_cubica"),
    (r"square\s+root", "square_root"),
    (r"cube\s+root", "cube_root"),
    (r"absolute\s+value", "absolute_value"),
    (r"valor\s+absoluto", "valor_absoluto"),
    (r"multiplied\s+by|multiplicado\s+por|times|por(?!\s*ciento)", "*"),
    (r"divided\s+by|dividido\s+(?:entre|por)|entre|over", "/"),
    (r"(?:raised\s+)?to\s+the\s+power\s+(?:of)?|elevado\s+a(?:\s+la)?", "**"),
    (r"squared|al\s+cuadrado", "**2"),
    (r"cubed|al\s+cubo", "**3"),
    (r"plus|más|mas", "+"),
    (r"minus|menos", "-"),
    (r"per\s?cent|por\s*ciento", "%"),
    (r"mod(?:ulo)?|módulo", " mod "),
    (r"of|de(?:\s+la|l)?", " of "),
    (r"el|la|los|las|the|a", " "),
)
_WORDS = re.compile("|".join(rf"(?<![\w.])(?P<p{i}>{pattern})(?!\w)" for i, (pattern, _) in enumerate(_PHRASES)), re.I)
_SIGNS = {"×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "∕": "/", "⁄": "/", "−": "-", "–": "-", "—": "-", "^": "**"}
_SIGNS |= {
    "[": "(",
    "]": ")",
    "{": "(",
    "}": ")",
    "√": " sqrt ",
    "∛": " cbrt ",
    "½": "(1/2)",
    "¼": "(1/4)",
    "¾": "(3/4)",
}
_TOKEN = re.compile(
    rf"\s*(?:(?P<number>{numerals.NUMBER.pattern})|(?P<word>[^\W\d]\w*)|(?P<sign>\*\*|//|[-+*/%!°(),;:]))"
)


class NotArithmetic(ValueError):  # noqa: N818 - the name says what it is
    """`.what` is the piece that could not be read."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what[:40]


def plain(text: str, language: str = "en") -> tuple[str, list[Fraction]]:
    """(a Python expression, the numbers _0, _1, … in it). Raises NotArithmetic, and OverflowError for 1e99999."""
    tokens = _tokens(_signs(text))
    numbers: list[Fraction] = []
    tokens = _named(tokens, language, numbers)
    tokens = _commas(tokens)
    tokens = _percent_or_remainder(tokens)
    tokens = _multiplied(_after(_before(tokens)))
    return " ".join(tokens), numbers


def _signs(text: str) -> str:
    """Words and typographic signs as plain ones; currency and the asking around it left out."""
    text = re.sub(r"[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: f"**({found[0].translate(_SUPER)})", text)
    text = "".join(_SIGNS.get(letter, letter) for letter in text)
    text = re.sub(r"[$€£¥¿?¡]|=\s*\??\s*$", " ", text)
    text = _WORDS.sub(lambda found: _PHRASES[int(str(found.lastgroup)[1:])][1], text)
    return re.sub(r"(?<=[\d)\s])[xX](?=[\s(\d√-])", "*", text)


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    text = text.rstrip(" \t\n.")
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise NotArithmetic(text[at:].strip()[:40])
        tokens.append(found[0].strip())
        at = found.end()
    return tokens


def _is_number(token: str) -> bool:
    return token[0].isdigit() or (token[0] == "." and len(token) > 1)


def _named(tokens: list[str], language: str, numbers: list[Fraction]) -> list[str]:
    """Numbers as _0, _1, …; functions and constants by our own names."""
    many = _many_arguments(tokens)
    written = [piece for i, token in enumerate(tokens) if _is_number(token) for piece in _split(token, many[i])]
    styles = {found for piece in written if (found := numerals.style(piece))}
    decimal = styles.pop() if len(styles) == 1 else ""
    named: list[str] = []

    def number(text: str) -> str:
        if _ENDLESS.search(text):
            raise OverflowError(text)
        try:
            numbers.append(numerals.read(text, language, decimal=decimal))
        except numerals.NotANumber:
            raise NotArithmetic(text) from None
        return f"_{len(numbers) - 1}"

    for i, token in enumerate(tokens):
        if _is_number(token):
            for n, piece in enumerate(_split(token, many[i])):
                named += [","] * (n > 0) + [number(piece)]
        elif token[0].isalpha() and token not in ("mod", "of"):
            known = FUNCTIONS.get(token.casefold()) or CONSTANTS.get(token.casefold())
            if known is None:
                raise NotArithmetic(token)
            named.append(known)
        else:
            named.append("/" if token == ":" else token)
    return named


def _many_arguments(tokens: list[str]) -> list[bool]:
    """For each token: does it stand straight inside max(…), round(…)? There a comma parts arguments."""
    inside, stack = [], [False]
    semicolons = ";" in tokens
    for i, token in enumerate(tokens):
        if token == "(":
            name = FUNCTIONS.get(tokens[i - 1].casefold(), "") if i else ""
            stack.append(name in MANY_ARGUMENTS and not semicolons)
        elif token == ")" and len(stack) > 1:
            stack.pop()
        inside.append(stack[-1])
    return inside


def _split(token: str, many: bool) -> list[str]:
    """ "1,2" within max(…) is two numbers; "1.5,2.5" too."""
    return token.split(",") if many else [token]


def _commas(tokens: list[str]) -> list[str]:
    return ["," if token == ";" else token for token in tokens]


def _percent_or_remainder(tokens: list[str]) -> list[str]:
    """ "17 % 5" asks for what is left over; "15 % of 80", "80 + 15 %" speak of hundredths."""
    out: list[str] = []
    for i, token in enumerate(tokens):
        follows = tokens[i + 1] if i + 1 < len(tokens) else ""
        remainder = token == "%" and (follows == "(" or follows[:1].isalnum() or follows[:1] == "_") and follows != "of"
        if remainder or token == "mod":
            out.append("mod" if token == "mod" or follows != "mod" else "%")
        else:
            out.append(token)
    return ["%" if token == "mod" else "percent" if token == "%" else token for token in out]


def _start(tokens: list[str]) -> int:
    """Where the value that ends the list begins: its number, its name, its parenthesis with the function before it."""
    if not tokens or tokens[-1] != ")":
        return len(tokens) - 1
    depth = 0
    for i in range(len(tokens) - 1, -1, -1):
        depth += (tokens[i] == ")") - (tokens[i] == "(")
        if depth == 0:
            return i - 1 if i and (tokens[i - 1] in _OWN or tokens[i - 1] == "percent") else i
    raise NotArithmetic(")")


_OWN = set(FUNCTIONS.values())
_POSTFIX = {"!": "factorial", "percent": "percent", "°": "degrees"}


def _before(tokens: list[str]) -> list[str]:
    """What stands after its value: 5! → factorial ( 5 ), 15% → percent ( 15 ), 30° → degrees ( 30 )."""
    out: list[str] = []
    for token in tokens:
        if token not in _POSTFIX:
            out.append(token)
            continue
        at = _start(out)
        if at < 0 or not _is_value(out[-1]):
            raise NotArithmetic({"percent": "%"}.get(token, token))
        out[at:] = [_POSTFIX[token], "(", *out[at:], ")"]
    return out


def _is_value(token: str) -> bool:
    return token == ")" or token[0] == "_" or token in CONSTANTS.values()


def _after(tokens: list[str]) -> list[str]:
    """What stands before its value without parentheses: √9, sin 30°, square root of 2, 15% of 80."""
    out: list[str] = []
    rest = list(reversed(tokens))
    while rest:
        token = rest.pop()
        if token == "of":
            if not out or out[-1] == "(":
                raise NotArithmetic("of")
            out.append("*")
        elif token in _OWN and rest and rest[-1] != "(":
            if rest[-1] == "of":
                rest.pop()
            if rest and rest[-1] == "(":
                out.append(token)
                continue
            out += [token, "(", *_one_value(rest), ")"]
        else:
            out.append(token)
    return out


def _one_value(rest: list[str]) -> list[str]:
    """Takes one value off the end of `rest` (which is in reverse)."""
    taken: list[str] = []
    while rest and rest[-1] in ("-", "+"):
        taken.append(rest.pop())
    if not rest:
        raise NotArithmetic(taken[-1] if taken else "√")
    if rest[-1] in _OWN or rest[-1] in _POSTFIX.values():
        name = rest.pop()
        if rest and rest[-1] == "of":
            rest.pop()
        if not rest or rest[-1] != "(":
            return [*taken, name, "(", *_one_value(rest), ")"]
        taken.append(name)
    if rest[-1] != "(":
        return [*taken, rest.pop()]
    depth = 0
    while rest:
        taken.append(rest.pop())
        depth += (taken[-1] == "(") - (taken[-1] == ")")
        if depth == 0:
            return taken
    raise NotArithmetic("(")


def _multiplied(tokens: list[str]) -> list[str]:
    """2(3 + 4), 2π, (2)(3): side by side means times. Two numbers side by side mean nothing."""
    out: list[str] = []
    for token in tokens:
        if out and _is_value(out[-1]) and (token == "(" or token[0] == "_" or token[0].isalpha()):
            if out[-1][0] == "_" and token[0] == "_":
                raise ValueError("two numbers side by side")
            out.append("*")
        out.append(token)
    return out
