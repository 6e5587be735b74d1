"""In: a message. Out: the arithmetic it asks for, as an expression that the calculator takes, or "".

    "What is 15% of 80?" → "0.15 * 80"          "réstale 35 a 100" → "100 - 35"
    "multiply 6 by 7 and then add 10" → "6 * 7 + 10"

Nothing but arithmetic may be left of the message once the asking around it is taken away. What looks like a sum and is
none (9/11, a date, a telephone number) is left alone. Knows nothing of routes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from assistant.routing import stories
from assistant.routing.spelled import spelled
from assistant.tools.tool import ToolError

_N = r"(-?\d+(?:\.\d+)?)"  # a number
_LIST = r"(-?\d+(?:\.\d+)?(?:(?:,? (?:and|y|plus|mas|e|con) |, ?| )-?\d+(?:\.\d+)?)+)"
_PER = r" ?(?:%|percent|per cent|por ?ciento)"
_ART = r"(?:the |el |la |los |las |un |una |a |an |of |de )*"
_ASKED = re.compile(  # before the sum
    r"(?:hey|hi|hello|ok|okay|so|and|now|please|pls|afina|quick(?: math| question)?|can you|could you|would you|will you"
    r"|i (?:want|need|would like|d like|have)(?: you)?(?: to(?: know)?)?|tell me|help me|let s|do you know|for me"
    r"|what(?: s| is| are|s)?|wht|wat|wats|how much|how many|is|are|does|do (?:you|i|we) get|would|will|s|result of|answer to"
    r"|if (?:you|i|we)|(?:i|you|we)|get|equals?"
    r"|calculate|compute|work out|workout|solve|evaluate|find|figure out|give me|get|do|the|math|maths|sum:|result"
    r"|hola|oye|por favor|porfa|puedes|podrias|me (?:puedes|podrias|haces|calculas|dices|resuelves)|quiero(?: saber)?"
    r"|necesito(?: saber)?|dime|decirme|calcula(?:me|r)?|calculame|resuelve|resolver|haz(?:me)?|hacer|halla|averigua"
    r"|cuant[oa]s?|cuando|quanto|que|cual|es|son|seria(?:n)?|serian|da|dan|hace|hacen|vale|valen|me|nos|sale|resulta(?:do)?"
    r"|la cuenta|esta cuenta|la operacion|esta operacion|a|y|ahora|entonces|si|el|lo|de|equivale|resultado|eso|se|obtengo"
    r"|the (?:result|value|answer) of|value of|el (?:resultado|valor) de)(?:[:,] ?| )+"
)
_ASIDE = re.compile(  # after it
    r"[ ,]*\b(?:please|pls|for me|thanks?|thank you|equals?(?: to)?|is|as a decimal|exactly|roughly|approximately|about"
    r"|in total|altogether|in all|total|right now|to|make|makes|come to|cost|will i pay|do i pay|is that|how much"
    r"|por favor|porfa|gracias|en total|es|son|exactamente|aproximadamente|mas o menos|da|igual a|cuanto (?:es|da|pago)"
    r"|en decimales|how much(?: is (?:it|that|the tip))?|cuanto|cuanto es|me queda|queda|pago|do i get|would it be)$"
)
_PRICE = re.compile(
    r"[$€£]|\b(?:each|apiece|per|cada|cost|costs|cuestan?|valen?|pay|pago|price|precio|euros?|dollars?|dólares)\b"
)
_MONEY = re.compile(r"[$€£¥]|\b(?:usd|eur|gbp)\b")
_NOUN = (  # what is counted or paid with, no part of the sum
    r"(?:dollars?|bucks|euros?|pounds? sterling|pesos?|cents?|centimos?|people|persons?|persona?s?|friends?|amig[oa]s"
    r"|kids|children|ninos|students?|alumnos|guests|invitados|units?|unidades|items?|tickets?|entradas|apples?|manzanas"
    r"|shirts?|camis\w+|books?|libros|boxes|cajas|each|cada una?|apiece|bill|salary|months?|ways|equal parts"
    r"|partes(?: iguales)?|shares|eggs|huevos|numbers?|numeros?|in half)"
)
_LOOKALIKE = re.compile(  # two numbers and a sign that mean something else
    r"(?<![\d.])(?:9/11|24/7|50/50|7/11|4/20|20/20|7/7|4 ?x ?4|11-?[sm]|23-?f|15-?m|80/20|1080p|3-in-1|2x4|6/49|24/365)(?![\d.])"
    r"|\b\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b"  # a date
    r"|\b\d{2,4}(?:-\d{2,4}){2,}\b|\+\d{6,}|\b\d{3}-\d{4}\b"  # a telephone number
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b"  # an address
)
_YEARS = re.compile(r"(?:19|20)\d\d ?[-/] ?(?:19|20)?\d\d")

Rule = tuple[str, Callable[..., str]]


def _pct(number: str) -> str:
    """ "15" → "0.15", as the calculator reads it in either language."""
    text = f"{float(number) / 100:.10f}".rstrip("0").rstrip(".")
    return text or "0"


def _numbers(text: str) -> list[str]:
    return re.findall(r"-?\d+(?:\.\d+)?", text)


def _joined(text: str, sign: str) -> str:
    return f" {sign} ".join(_numbers(text))


def _mean(text: str) -> str:
    return f"({_joined(text, '+')}) / {len(_numbers(text))}"


_TIP = r"(?:tip|gratuity|tax|vat|iva|propina|interest|interes|commission|comision|discount|descuento|fee|sales tax)"
_OFF = r"(?:off|discount|de descuento|descuento|menos|de rebaja|rebaja|less)"
_ON = r"(?:of|on|for|from|over|de|del|sobre|en|a|para|por)"
_RULES: list[Rule] = [  # the whole message, once the asking is off
    (rf"{_ART}{_N}{_PER} {_OFF} (?:(?:of|on|from|over|de|en|a|sobre|for|una?|{_NOUN}) )*{_N}", lambda p, n: f"{n} * (1 - {_pct(p)})"),
    (rf"{_N} (?:with|at|minus|less|con|menos|y) {_ART}{_N}{_PER}(?: {_OFF})?", lambda n, p: f"{n} * (1 - {_pct(p)})"),
    (rf"{_N} ?(?:plus|mas|\+) ?(?:{_ART}{_TIP} (?:of |at |del? |al )?)?{_ART}{_N}{_PER}(?: {_ON})?(?: {_TIP})?", lambda n, p: f"{n} * (1 + {_pct(p)})"),
    (rf"{_N} ?- ?{_ART}{_N}{_PER}", lambda n, p: f"{n} * (1 - {_pct(p)})"),
    (rf"(?:discount|descuento) (?:of |del? )?{_N}{_PER} {_ON} {_ART}{_N}", lambda p, n: f"{n} * (1 - {_pct(p)})"),
    (rf"(?:increase|raise|grow|add|aumenta\w*|incrementa\w*|sube\w*) {_ART}{_N} (?:by|in|en) {_ART}{_N}{_PER}", lambda n, p: f"{n} * (1 + {_pct(p)})"),
    (rf"(?:aumenta\w*|incrementa\w*|sube\w*|suma\w*|anad\w+|add|ponle) {_ART}{_N}{_PER} (?:a|to|sobre) {_ART}{_N}", lambda p, n: f"{n} * (1 + {_pct(p)})"),
    (rf"(?:aumenta\w*|incrementa\w*|sube\w*) {_ART}{_N} {_ART}{_N}{_PER}", lambda n, p: f"{n} * (1 + {_pct(p)})"),
    (rf"(?:decrease|reduce|lower|cut|disminuye\w*|reduce\w*|baja\w*|rebaja\w*) {_ART}{_N} (?:by|in|en) {_ART}{_N}{_PER}", lambda n, p: f"{n} * (1 - {_pct(p)})"),
    (rf"(?:quita\w*|resta\w*|baja\w*|rebaja\w*|descuenta\w*|take|subtract) {_ART}{_N}{_PER} (?:a|from|off|de|of) {_ART}{_N}", lambda p, n: f"{n} * (1 - {_pct(p)})"),
    (rf"{_ART}{_N}{_PER}(?: (?:of|de|del|in|por))? ?{_TIP}? {_ON} {_ART}(?:bill of |cuenta de )?{_N}", lambda p, n: f"{_pct(p)} * {n}"),
    (rf"{_ART}{_TIP} (?:of |at |del? )?{_ART}{_N}{_PER} {_ON} {_ART}(?:bill of |cuenta de )?{_N}", lambda p, n: f"{_pct(p)} * {n}"),
    (rf"{_ART}{_TIP} {_ON} {_ART}(?:bill of |cuenta de )?{_N}(?:{_NOUN}| bill)? (?:at|with|of|del?|con|al) {_ART}{_N}{_PER}", lambda n, p: f"{_pct(p)} * {n}"),
    (rf"(?:if )?{_ART}(?:bill|check|cuenta|factura)?(?: (?:is|of|de|es de))? ?{_N}(?: bill)?,? (?:with|and|plus|con) (?:i (?:leave|tip) )?{_ART}{_N}{_PER} (?:of |de )?(?:tip|propina)", lambda n, p: f"{_pct(p)} * {n}"),
    (rf"(?:{_NOUN} )?(?:cost\w*|cuesta\w*|costaba|vale|valia)? ?{_N}(?: {_NOUN})? (?:and|y|with|con|at) (?:it )?(?:has|is|tiene|hay|esta)? ?(?:al |a |an |un |una |el )?{_N}{_PER} (?:off|discount|de descuento|descuento|de rebaja|rebajad[oa])", lambda n, p: f"{n} * (1 - {_pct(p)})"),
    (rf"{_ART}(?:percent(?:age)?|per cent|porcentaje|%|share|fraction) (?:of|de|del) {_N} (?:is|are|es|son|representa\w*|supone\w*) {_N}", lambda whole, part: f"{part} / {whole} * 100"),
    (rf"{_ART}(?:percent(?:age)?|per cent|porcentaje|%) (?:is|are|es|son|representa\w*|supone\w*) {_N} (?:of|out of|from|de|del|sobre) {_N}", lambda part, whole: f"{part} / {whole} * 100"),
    (rf"{_N} (?:is|es|son|representa|supone) (?:what|que) (?:percent(?:age)?|per cent|porcentaje|%) (?:of|de) {_N}", lambda part, whole: f"{part} / {whole} * 100"),
    (rf"{_TIP} (?:is|on|es) (?:the |el )?{_N}{_PER} (?:of|on|de|sobre) {_N}", lambda p, n: f"{_pct(p)} * {n}"),
    (rf"{_N} as a percent(?:age)? of {_N}", lambda part, whole: f"{part} / {whole} * 100"),
    (rf"{_N} (?:como|en) porcentaje de {_N}", lambda part, whole: f"{part} / {whole} * 100"),
    (rf"{_ART}(?:sum|total|suma|addition) (?:of |de |entre )?{_LIST}", lambda found: _joined(found, "+")),
    (rf"(?:add|sum|sum up|add up|sumar?|sumame|suman|sumas|sumes|sumo|total|juntar?) {_ART}{_LIST}(?: together)?", lambda found: _joined(found, "+")),
    (rf"(?:add|suma\w*|anad\w+|agrega\w*|i add|you add|ponle) {_N} (?:to|with|a|al|con) {_N}", lambda a, b: f"{b} + {a}"),
    (rf"{_ART}(?:average|mean|media|promedio)(?: (?:aritmetica|value))? (?:of |de |entre )?{_ART}{_LIST}", _mean),
    (rf"{_ART}product(?:o)? (?:of|de|entre) {_LIST}", lambda found: _joined(found, "*")),
    (rf"{_ART}(?:difference|diferencia) (?:between|entre|of|de) {_N} (?:and|y|to) {_N}", lambda a, b: f"{a} - {b}"),
    (rf"{_ART}(?:quotient|cociente) (?:of|de|entre) {_N} (?:and|y|by|entre) {_N}", lambda a, b: f"{a} / {b}"),
    (rf"(?:subtract|take(?: away)?|deduct|remove|i take) {_N} (?:from|off) {_N}", lambda a, b: f"{b} - {a}"),
    (rf"(?:restar?(?:le)?|restale|restame|quitar?(?:le)?|quitale|sustraer?|resto|restas|quito|si restas) {_ART}{_N} (?:de|a|al) {_N}", lambda a, b: f"{b} - {a}"),
    (rf"a {_N} (?:le |se le )?(?:resto|restas|restale|quito|quita\w*|quitale|resta) {_N}", lambda a, b: f"{a} - {b}"),
    (rf"a {_N} (?:le |se le )?(?:sumo|sumas|sumale|anade\w*|suma) {_N}", lambda a, b: f"{a} + {b}"),
    (rf"(?:multiply|times|multiplicar?|multiplicas|multiplico|multiplicame|multipliques) {_ART}{_N} (?:by|times|and|with|por|y|con|x) {_N}", lambda a, b: f"{a} * {b}"),
    (rf"(?:divide|dividir|divides|divido|divideme|split|share|reparte|repartir|reparto|repartes|partir|parte|distribute) {_ART}{_N}(?: (?:evenly|equally|up))? (?:by|into|in|between|among|amongst|over|entre|en|por|para|a) {_ART}{_N}", lambda a, b: f"{a} / {b}"),
    (rf"{_N} (?:split|shared|divided|repartid[oa]s?|dividid[oa]s?)(?: (?:evenly|equally))? (?:by|into|in|between|among|entre|en|por) {_N}", lambda a, b: f"{a} / {b}"),
    (rf"{_N} (?:goes into|cabe en|into) {_N}", lambda a, b: f"{b} / {a}"),
    (rf"(?:veces )?(?:does|cabe|times does) {_N} (?:go into|en) {_N}", lambda a, b: f"{b} / {a}"),
    (rf"{_ART}(?:remainder|resto|residuo) (?:of|de|when|al|cuando)? ?(?:dividing |dividir |divido |divides )?{_N} (?:divided by|is divided by|by|entre|por|and|y) {_N}", lambda a, b: f"{a} % {b}"),
    (rf"{_N} (?:mod|modulo|modulus) {_N}", lambda a, b: f"{a} % {b}"),
    (rf"{_ART}area (?:of |de |del )?{_ART}(?:circle|circulo) (?:with |of |con |de )?{_ART}(?:radius|radio) (?:of |de |= ?)?{_N}.*", lambda r: f"pi * {r} ** 2"),
    (rf"{_N} / {_N} (?:of|de) {_N}|{_N}/{_N} (?:of|de) {_N}", lambda *n: "{} / {} * {}".format(*(one for one in n if one))),
    (rf"{_N} (?:to the|a la) {_N}", lambda a, b: f"{a} ** {b}"),
    (rf"{_ART}(?:factorial) (?:of |de |del )?{_N}", lambda a: f"factorial({a})"),
    (rf"{_N} factorial|{_N} ?!", lambda a, b: f"factorial({a or b})"),
    (rf"{_ART}(sin|sine|seno|cos|cosine|coseno|tan|tangent|tangente) (?:of |de )?(?:an angle of )?{_N} ?(?:degrees|deg|grados|°|º)?", lambda f, a: f"{ {'s': 'sin', 'c': 'cos', 't': 'tan'}[f[0]] }({a}°)"),
    (rf"{_ART}(?:natural log\w*|ln|logaritmo (?:natural|neperiano)) (?:of |de )?{_N}", lambda a: f"ln({a})"),
    (rf"{_ART}(?:log|logarithm|logaritmo)(?: base 10| decimal)? (?:of |de )?{_N}(?: (?:in|to)? ?base 10| en base 10)?", lambda a: f"log({a})"),
    (rf"{_ART}(?:log|logarithm|logaritmo) (?:base 2 of |en base 2 de ){_N}", lambda a: f"log2({a})"),
    (rf"{_ART}(?:greatest common divisor|gcd|maximo comun divisor|mcd) (?:of |de |entre )?{_LIST}", lambda found: f"gcd({'; '.join(_numbers(found))})"),
    (rf"{_ART}(?:least common multiple|lowest common multiple|lcm|minimo comun multiplo|mcm) (?:of |de |entre )?{_LIST}", lambda found: f"lcm({'; '.join(_numbers(found))})"),
    (rf"(?:i )?(?:earn|make|pay|spend|save|gano|pago|gasto|ahorro|cobro) {_N}(?: {_NOUN})? (?:a|per|each|every|al|por|cada) (?:month|mes),? .{{0,24}}\b(?:year|ano|annually|anual\w*)", lambda a: f"{a} * 12"),
    (rf"(?:i )?(?:earn|make|pay|spend|save|gano|pago|gasto|ahorro|cobro) {_N}(?: {_NOUN})? (?:a|per|each|every|al|por|cada) (?:week|semana),? .{{0,24}}\b(?:year|ano|annually|anual\w*)", lambda a: f"{a} * 52"),
]  # fmt: skip
_PRICED: list[Rule] = [  # so many things at such a price; only where money is spoken of
    (rf"(?:would |do |does |cuestan |valen |pay for |pago por |buy |compro |por )?{_N} (?:[a-z]+ ){{1,3}}(?:at|for|costing|cost|de|a|por|que cuestan?|que valen?) {_N}(?: {_NOUN})?(?: each| apiece| per \w+| cada un[oa]| la unidad| por unidad| euros cada un[oa])?(?:,? .{{0,24}})?", lambda a, b: f"{a} * {b}"),
]  # fmt: skip
_INFIX: list[tuple[str, str]] = [  # within the sum
    (rf"\b(?:square root|raiz cuadrada|raiz|sqrt)(?: (?:of|de|del))? ?\(?{_N}\)?", r" sqrt(\1)"),
    (rf"\b(?:cube root|cubic root|raiz cubica)(?: (?:of|de))? {_N}", r" cbrt(\1)"),
    (rf"\b(?:square|cuadrado) (?:of|de) {_N}", r"\1 ** 2"),
    (rf"\b(?:cube|cubo) (?:of|de) {_N}", r"\1 ** 3"),
    (rf"\b(?:half|mitad)(?: (?:of|de))? {_N}", r"\1 / 2"),
    (rf"\b(?:2|dos) (?:thirds|tercios) (?:of|de) {_N}", r"2 / 3 * \1"),
    (rf"\b(?:3|tres) (?:quarters|fourths|cuartos) (?:of|de) {_N}", r"3 / 4 * \1"),
    (rf"\b(?:(?:a|1|un) )?(?:third|tercio|tercera parte) (?:of|de) {_N}", r"\1 / 3"),
    (rf"\b(?:(?:a|1|un|una) )?(?:quarter|fourth|cuarto|cuarta parte) (?:of|de) {_N}", r"\1 / 4"),
    (rf"\b(?:(?:a|1|un|una) )?(?:fifth|quinto|quinta parte) (?:of|de) {_N}", r"\1 / 5"),
    (rf"\b(?:(?:a|1|un|una) )?(?:tenth|decimo|decima parte) (?:of|de) {_N}", r"\1 / 10"),
    (rf"\b(?:double|twice|doble)(?: (?:of|de))? {_N}", r"2 * \1"),
    (rf"\b(?:triple|thrice|triple de|treble)(?: (?:of|de))? {_N}", r"3 * \1"),
    (rf"\b(?:cuadruple|quadruple)(?: (?:of|de))? {_N}", r"4 * \1"),
    (r"\b(?:raised )?to the power(?: of)?\b|\belevado a(?: la)?(?: potencia(?: de)?)?\b|\bto the\b(?= \d+(?:th|rd|nd|st))", "**"),
    (r"(?<=\d)(?:th|rd|nd|st)\b(?: power)?", ""),
    (r"\b(?:squared|al cuadrado)\b", "** 2"),
    (r"\b(?:cubed|al cubo)\b", "** 3"),
    (r"\bmultiplied by\b|\bmultiplicado por\b|\btimes\b|\btims\b|\bveces\b|\bpor\b(?! ?ciento)", "*"),
    (r"\bdivided (?:by|between|into)\b|\bdividido (?:entre|por|en)\b|\bentre\b|\bover\b|\bdivided\b|\bdividido\b|\bdiv\b", "/"),
    (r"\bplus\b|\bmas\b|\badded to\b|\bsumado a\b", "+"),
    (r"\bminus\b|\bmenos\b|\bless\b|\bmins\b", "-"),
    (r"(?<=[\d)]) ?[x×] ?(?=[\d(-])", " * "),
    (r"(?<=[\d)]) ?: ?(?=\d)", " / "),
    (rf"{_N}{_PER} (?:of|de|del) (?=[\d(])", "%\\1% * "),
    (r"\^", "**"),
]  # fmt: skip
_NEXT = re.compile(
    r",? (?:and then|then|and|luego|y luego|y despues|despues|y) (?=(?:add|subtract|multiply|divide|take|suma|resta|multiplica|divide|quita|anade|sumale|restale|quitale|sumas|restas)\b)"
)
_FURTHER: list[Rule] = [  # what is done to a result
    (rf"(?:add|plus|sumale|suma\w*|anade\w*|agrega\w*|mas|\+) {_N}(?: to (?:it|that)| more| mas)?", lambda a: f"+ {a}"),
    (rf"(?:subtract|minus|take(?: away)?|less|restale|resta\w*|quita\w*|menos|-) {_N}(?: from (?:it|that))?", lambda a: f"- {a}"),
    (rf"(?:multiply|times|multiplied|multiplica\w*|multiplicado|por|x|\*) ?(?:it |that |lo )?(?:by |times |por )?{_N}", lambda a: f"* {a}"),
    (rf"(?:divide|divided|over|dividido|dividelo|entre|/) ?(?:it |that |lo )?(?:by |entre |por )?{_N}", lambda a: f"/ {a}"),
    (r"(?:half|mitad|in half|a la mitad)(?: (?:of|de) (?:it|that|eso))?", lambda: "/ 2"),
    (r"(?:double|twice|doble)(?: (?:of|de))?(?: (?:it|that|eso))?|doubled|duplicado", lambda: "* 2"),
    (r"(?:it |that |eso )?(?:squared|al cuadrado)", lambda: "** 2"),
    (rf"(?:{_N}{_PER} (?:of|de) (?:it|that|eso|ese))", lambda a: f"* {_pct(a)}"),
]  # fmt: skip
_WHOLE = re.compile(r"(?:[\d.\s+\-*/%()!°;]|\b(?:sqrt|cbrt|factorial|sin|cos|tan|ln|log2?|mod|gcd|lcm|pi)\b)+")
_SYMBOLS = re.compile(  # what the calculator reads by itself
    r"(?=.*\d)(?=.*(?:\w\(|[-+*/^%]|pi))(?:[\d.\s+\-*/%^()!°,;]|\b(?:sqrt|cbrt|sin|cos|tan|asin|acos|atan|exp|ln|log2?|log10|abs"
    r"|floor|ceil|round|max|min|sum|mean|gcd|lcm|factorial|mod|tau|e)\b|pi)+"
)
_HAS_SIGN = re.compile(r"[\d)!] ?(?:\*\*|[-+*/%])|(?:sqrt|cbrt|factorial|sin|cos|tan|ln|log2?|gcd|lcm)\(")


@dataclass(frozen=True, slots=True)
class Sum:
    expression: str
    clear: bool  # nothing but the sum was in the message


def read(message: str, language: str) -> Sum | None:
    """What the calculator is asked, checked by the calculator itself; None where it is asked nothing."""
    if not re.search(r"\d|\w{3}", message) or len(message) > 300:
        return None
    text = _tidy(spelled(message, language))
    if re.search(r"\d{100}", text):
        return None  # 1e999, spelled out: the patterns below take their time, and nobody means it
    if not re.search(r"\d", text) or _LOOKALIKE.search(text) or _YEARS.fullmatch(text):
        return None
    priced = _PRICE.search(message.lower()) is not None
    if total := _unambiguous(stories.in_all(text)):
        return Sum(total, clear=False)
    for clear, one in ((True, text), (False, _without_nouns(text))):
        for asked in _stripped(one):
            expression = _unambiguous(_expression(asked, priced))
            if expression and _worth(expression):
                return Sum(expression, clear)
            if _SYMBOLS.fullmatch(asked) and _worth(asked):
                return Sum(_unambiguous(asked), clear)
    told = _unambiguous(stories.read(text))
    return Sum(told, clear=False) if told and _worth(told) else None


def further(message: str, language: str, before: str) -> str:
    """What a follow-up asks to be done to the result `before`: "and divided by 3?" → "36 / 3"; "" for nothing."""
    text = _tidy(spelled(message, language))
    for asked in _stripped(text):
        done = _done(asked)
        expression = _unambiguous(f"{before} {done}") if done else ""
        if expression and _worth(expression):
            return expression
    return ""


def _tidy(text: str) -> str:
    text = _MONEY.sub(" ", text)
    text = re.sub(
        r"[?¿!¡]+(?=\s|$|[?¿])|(?<!\w)[¿¡]|[\"“”«»]|=+\s*\??\s*$",
        lambda m: "!" if m[0] == "!" and re.search(r"\d!$", text) else " ",
        text,
    )
    text = re.sub(r"(?<=[a-z])'(?=[a-z])", " ", text)
    return re.sub(r"\s+", " ", text).strip(" .,;:")


def _without_nouns(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(rf"(?<=\d) {_NOUN}\b|\b(?:into|in) (?=half)", "", text)).strip()


def _stripped(text: str) -> Iterator[str]:
    """The text with less and less of the asking in front of it and behind it."""
    heads = [text]
    while found := _ASKED.match(heads[-1]):
        heads.append(heads[-1][found.end() :])
    for head in heads:
        yield head
        tail = head
        while found := _ASIDE.search(tail):
            tail = tail[: found.start()]
            yield tail


def _expression(text: str, priced: bool) -> str:
    first, *rest = _NEXT.split(text)
    expression = _ruled(first, _RULES) or _infixed(first) or (_ruled(first, _PRICED) if priced else "")
    for one in rest:
        done = _done(one)
        if not expression or not done:
            return ""
        low = done[0] in "*/" and re.search(r" [-+] ", expression)
        expression = f"({expression}) {done}" if low else f"{expression} {done}"
    return expression


def _done(text: str) -> str:
    return _ruled(text, _FURTHER)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _ruled(text: str, rules: list[Rule]) -> str:
    for pattern, make in rules:
        found = _compiled(pattern).fullmatch(text)
        if found:
            return make(*found.groups())
    return ""


def _infixed(text: str) -> str:
    for pattern, sign in _INFIX:
        text = _compiled(pattern).sub(sign, text)
    text = re.sub(r"%(\d+(?:\.\d+)?)%", lambda found: _pct(found[1]), text)
    text = re.sub(rf"{_N}{_PER}", lambda found: _pct(found[1]), text)
    text = re.sub(r"\b(?:the|el|la|a|an)\b", " ", text)
    text = re.sub(r"\s+", " ", text).strip(" ,.")
    if not _WHOLE.fullmatch(text) or not _HAS_SIGN.search(text):
        return ""
    return (
        re.sub(r" ?(\*\*|[-+*/]) ?", r" \1 ", text).replace("( - ", "(-").strip() if not text.startswith("-") else text
    )


def _worth(expression: str) -> bool:
    from assistant.tools.calculator import calculate

    try:
        calculate(expression, "en")
    except ToolError as error:
        return "divides by zero" in str(error) or "1,000 digits" in str(error) or "real numbers" in str(error)
    return True


def _unambiguous(expression: str) -> str:
    """ "12.345" could be twelve thousand to a Spanish reader; "12.3450" could not."""
    return re.sub(r"(?<![\d.])([1-9]\d{0,2}\.\d{3})(?!\d)", r"\g<1>0", expression)
