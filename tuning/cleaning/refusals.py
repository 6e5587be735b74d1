"""In: an answer. Out: where it refuses, or says that it does not know; in English and Spanish.

A refusal declines to help ("I'm sorry, but I can't assist with that"). An abstention declines to make something up ("I
could not find that in your documents"): that is often the right answer, and is told apart.
"""

from __future__ import annotations

import re

_OPENING = 160  # characters: a refusal is said at once; further in, the same words are quoted or explained

_DO = (
    "help|assist|do that|do this|comply|fulfill?|provide|create|write|generate|answer|discuss|support|engage|continue|"
    "share|give|offer|participate|complete|talk about|say that"
)
_HACER = (
    "ayud|asist|proporcion|cumpl|hacer eso|hacer esto|escrib|gener|crear|respond|contest|habl|ofrec|facilit|dar|"
    "complac|continu|seguir con|colabor|particip|coment|decir"
)
_REFUSALS = (
    r"i(?:'m| am) (?:really |so |very )?sorry,? (?:but )?(?:i |that |this )?(?:can(?:'t|not)|am not able|won't|must)",
    rf"i (?:can(?:'t|not)|won't|will not|am unable to|must decline to|have to decline|refuse to) (?:\w+ )?(?:{_DO})",
    rf"i(?:'m| am) (?:not able|unable) to (?:{_DO})",
    r"(?:that|this) (?:goes against|violates) (?:my|our)|against my (?:guidelines|programming|policy)",
    r"as an ai(?: language model| assistant)?,? i (?:can(?:'t|not)|do not|don't|am not)|i(?:'m| am) just an ai",
    r"lo (?:siento|lamento),? (?:mucho,? )?(?:pero )?(?:no (?:puedo|me es posible|podré)|eso no)",
    r"no (?:puedo|podría|me es posible|estoy autorizad[oa] para|estoy en condiciones de|me está permitido) "
    rf"(?:\w+ )?(?:{_HACER})\w*",
    r"como (?:una )?(?:ia|inteligencia artificial|modelo de lenguaje|asistente(?: virtual)?),? no (?:puedo|tengo)",
    r"(?:va|iría|atenta) (?:en )?contra (?:de )?mis? (?:principios|directrices|normas|programación|política)",
)
_ABSTENTIONS = (
    r"(?:could(?:n't| not)|can(?:'t|not)|did(?:n't| not)|unable to) (?:find|locate) (?:that|this|it|an|the answer|any)",
    r"(?:documents?|passages?|sources?|text|context) (?:do(?:es)?(?:n't| not)|did not) "
    r"(?:say|hold|contain|mention|provide|include|answer)",
    r"not (?:found )?in (?:your|the) documents|i do(?:n't| not) (?:know|have (?:that|this|enough) information)",
    r"no (?:lo )?(?:he encontrado|encontré|pude encontrar|encuentro|he podido encontrar)",
    r"(?:documentos?|pasajes?|fuentes?|textos?) no (?:lo )?(?:dicen?|contienen?|mencionan?|responden?|recogen?)",
    r"no (?:está|aparece|figura) en (?:tus|los|sus) documentos",
    r"no (?:lo )?sé\b|no (?:tengo|dispongo de) (?:esa |suficiente )?información|desconozco",
)
_REFUSES = re.compile(rf"\b(?:{'|'.join(_REFUSALS)})", re.IGNORECASE)
_ABSTAINS = re.compile(rf"\b(?:{'|'.join(_ABSTENTIONS)})", re.IGNORECASE)
_QUOTES = re.compile(r"[:\"“«]")


def refusal(text: str) -> re.Match[str] | None:
    return _said(_REFUSES, text)


def abstention(text: str) -> re.Match[str] | None:
    return _said(_ABSTAINS, text)


def _said(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """In the opening, and not quoted there: 'For example: "I can't help with that."'"""
    opening = text[:_OPENING].replace("’", "'")
    found = pattern.search(opening)
    return None if found and _QUOTES.search(opening, 0, found.start()) else found
