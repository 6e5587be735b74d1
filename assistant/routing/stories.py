"""In: a plain message with two numbers. Out: the sum that its story asks for, or "".

    "if i split 90 between 4 people how much each" → "90 / 4"      "tengo 50 y gasto 12, cuanto me queda" → "50 - 12"
    "a coat costs 90 and has 30% off, what do i pay" → "90 * (1 - 0.3)"

A story is read by what stands before, between and after its numbers: a question must be asked, and every part must say
the same. With more numbers, or fewer, it is no sure reading. Knows nothing of routes.
"""

from __future__ import annotations

import re

LONGEST = 200  # characters
_NUMBER = re.compile(r"(?<![\w.,:/-])(\d+(?:\.\d+)?)(?![\w:/%-]|\.\d| ?%| ?percent| por ?ciento)")
_HOW = r"\b(?:how (?:much|many)|what(?: is| s| do| will)|cuant[oa]s?|que (?:total|pago))\b"
_EACH = r"\b(?:each|apiece|per (?:person|head)|everyone|cada|por (?:persona|cabeza)|toca|tocan)\b"
_PEOPLE = (
    r"(?:people|persons|friends|kids|children|students|of us|siblings|roommates|colleagues|personas|amig[oa]s|nin[oa]s"
    r"|hij[oa]s|herman[oa]s|alumn[oa]s|companer[oa]s)"
)
_OWNS = r"\b(?:have|had|has|there (?:are|were)|start(?:ed)? with|tengo|tenia|tenemos|teniamos|tiene|hay|habia)\b"
_LESS = (
    r"\b(?:spen[dt]s?|gives?(?: away)?|gave(?: away)?|loses?|lost|breaks?|broke|eats?|ate|sells?|sold|uses?|used|pays?|paid"
    r"|gast[oae]|gastamos|regal[oae]|doy|di|dio|pierdo|pierde|perdi|perdio|romp[oei]|como|comi|comio|vend[oei]|vendio"
    r"|pag[oa]|pague|uso|saco|saque)\b"
)
_LEFT = r"\b(?:left|remain\w*|still have|quedan?|quedaran?|sobran?)\b"
_BUY = r"\b(?:buy|buys|bought|order|ordered|compr[oae]|compramos|pid[oe]|pedi|pedimos|llevo)\b"
_PAY = r"\b(?:pay|paid|give|gave|hand|pago|pague|doy|di)\b"
_SAVE = r"\b(?:save|saves|earn|earns|spend|spends|pay|pays|put (?:aside|away)|ahorr[oa]|gan[oa]|gast[oa]|pag[oa]|guard[oa]|cobr[oa])\b"
_PERIODS = ("days?|dias?", "weeks?|semanas?", "months?|mes(?:es)?", "years?|anos?")

_PERCENT = re.compile(r"(?<![\w.,:/-])(\d+(?:\.\d+)?)( ?%| ?percent\b| ?per cent\b| ?por ?ciento\b)?(?![\w:/-]|\.\d)")
_SHARE = r"(?:discount|tip|gratuity|tax|vat|descuento|propina|iva)"
_ITSELF = (  # the share is asked for, and not what it makes of the price
    rf"\b(?:saved?|saving|ahorr\w+|(?:is|es|son) (?:the|el|la|my|mi) {_SHARE}"
    rf"|(?:how much|cuant[oa]) {_SHARE}|(?:pay|pago|pagar|dejo|leave|give) (?:in|as|for|of|de|en) (?:el |la |the |a )?{_SHARE})\b"
)
_OFF = r"\b(?:off|discount\w*|descuento|rebaj\w+|reduced)\b"
_TAX = r"(?:vat|iva|sales tax|tax|impuestos?)"
_TIP = r"(?:tip|gratuity|service|propina|servicio)"
_TOTAL = r"\b(?:(?:in|en) total|altogether|in all|all in|total (?:to pay|a pagar)|(?:do|will) (?:i|we) pay|pag(?:o|amos|are))\b"

Story = tuple[str, str, str, str]  # what stands before, between and after the numbers; the sum
_STORIES: list[Story] = [
    (
        r"\b(?:split|share|divide|repart\w+|dividimos|divido|compart\w+)\b",
        r"\b(?:between|among|amongst|by|into|entre)\b[a-z ]*$",
        rf"{_EACH}|{_HOW}",
        "{0} / {1}",
    ),
    ("", rf"^ {_PEOPLE}\b.*\b(?:split|share|divide|repart\w+|compart\w+|dividen)\b", _EACH, "{1} / {0}"),
    (_OWNS, _LESS, rf"{_HOW}.*{_LEFT}", "{0} - {1}"),
    (_OWNS, r"\b(?:and|y|then|luego)\b", rf"^[a-z ]*\b(?:more|mas)\b.*{_HOW}", "{0} + {1}"),
    (_BUY, r"\b(?:at|for|a|por|de) $", rf"{_EACH}.*{_HOW}", "{0} * {1}"),
    (
        _PAY,
        r"\b(?:bill of|costs?|total|price|cuenta|cuesta|vale|importe|precio)\b",
        r"\b(?:change|devuel\w+|vueltas?|cambio)\b",
        "{0} - {1}",
    ),
    (  # a ticket costs 14.50, how much are 6
        r"\b(?:costs?|cuestan?|vale[n]?|sells? for|priced at)\b[a-z ]*$",
        rf"{_HOW}(?:.*\b(?:are|do|will|would|for|son|cuestan|valen|pago por|pagare por|por))? $",
        r"^(?: [a-z]+){0,3}$",
        "{0} * {1}",
    ),
    *(
        (
            _SAVE,
            rf"\b(?:a|per|each|every|al|por|cada) (?:{names})\b.*\b(?:in|after|for|over|en|durante|tras|despues de) $",
            rf"^ (?:{names})\b",
            "{0} * {1}",
        )
        for names in _PERIODS
    ),
]


def read(text: str) -> str:
    """`text`: plain, its numbers as digits."""
    if len(text) > LONGEST:
        return ""
    if told := in_all(text) or _percent(text):
        return told
    parts = _NUMBER.split(re.sub(r"\b(each|every|cada|per) 1\b", r"\1", text))
    if len(parts) != 5 or re.search(r"\d", parts[0] + parts[2] + parts[4]):
        return ""
    before, first, between, second, after = parts
    if not re.search(_HOW, between + after):
        return ""
    for head, middle, tail, sum_ in _STORIES:
        if re.search(head, before) and re.search(middle, between) and re.search(tail, after):
            return sum_.format(first, second)
    return ""


def in_all(text: str) -> str:
    """A price with what comes on top of it, where the total is asked for and not the tip or the tax alone."""
    if not re.search(_TOTAL, text) or not re.search(rf"\b(?:{_TIP}|{_TAX})\b", text) or re.search(_ITSELF, text):
        return ""
    given = _priced(text)
    return "{} * (1 + {})".format(*given) if given else ""


def _percent(text: str) -> str:
    """A price less a discount, or with its tax; or what the discount, the tax or the tip comes to."""
    spoken = re.search(rf"{_OFF}|\b{_TAX}\b|\b{_TIP}\b", text)
    if spoken is None or (given := _priced(text)) is None:
        return ""
    if re.search(_ITSELF, text):
        return "{1} * {0}".format(*given)
    if re.search(_OFF, text):
        return "{} * (1 - {})".format(*given)
    return "{} * (1 + {})".format(*given) if re.search(rf"\b{_TAX}\b", text) else ""


def _priced(text: str) -> tuple[str, str] | None:
    """The price and the share of it, where a message has these two numbers and asks for what they make."""
    if len(text) > LONGEST or not re.search(_HOW, text):
        return None
    found = list(_PERCENT.finditer(text))
    prices, shares = ([one[1] for one in found if bool(one[2]) is share] for share in (False, True))
    if (len(prices), len(shares), len(re.findall(r"\d+(?:\.\d+)?", text))) != (1, 1, 2):
        return None
    return prices[0], f"{float(shares[0]) / 100:.10f}".rstrip("0").rstrip(".") or "0"
