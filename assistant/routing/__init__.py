"""In: a message, the library. Out: the route it takes and why. Writes nothing, calls no language model."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from assistant.events import Route, RouteChosen
from assistant.history.words import folded
from assistant.sentences import say
from assistant.small_talk import is_small_talk
from knowledge import Passage, Turn
from knowledge.language import detect, stems

if TYPE_CHECKING:
    from knowledge.library import Library

_LOOKED_AT = 8  # passages: the fused order may put the nearest one lower
# Cosine of the question and its nearest passage, default embedder. Measured with 200 XQuAD questions a language and 52
# requests that no document answers. English: questions 0.26 (lowest), 0.35 (5th percentile), 0.60 (median); requests
# 0.22 (median), 0.34 (highest). Spanish, on an embedder that reads English: 0.42, 0.48, 0.59 against 0.47, 0.56. On
# doubt the documents are asked: "they do not hold it" harms less than an invented answer.
_NEAR = {"en": 0.40, "es": 0.57}
_FAR = {"en": 0.25, "es": 0.41}
_FAR_ACROSS = 0.05  # question and passage in two languages: a cosine says little
# A short question to a long passage is far by its cosine: "Who founded the company?" has 0.20 to the page that says it.
_ENOUGH = 0.5  # of the question's words in one passage
_MARK = re.compile(r"\[\d{1,2}\]")
_MENTION = re.compile(  # of documents; as `folded` leaves it
    r"\b(?:documents?|files?|pdfs?|reports?|filings?|pages?|paper|contract|invoice|manual|handbook|attach(?:ed|ment)"
    r"|documentos?|archivos?|ficheros?|informes?|memorias?|paginas?|contratos?|facturas?|adjuntos?)\b"
)
_REQUEST = re.compile(  # for something new, not for something known
    r"(?:(?:please|can you|could you|por favor|puedes|podrias|me) )*(?:write|compose|draft|rewrite|translate|sing"
    r"|invent|imagine|suggest|tell me (?:an?|another|something)|give me (?:an?|some|\w+ (?:tips|ideas))|let s|let us"
    r"|help me write"
    r"|escrib[ei]\w*|redacta\w*|reescrib\w+|traduc\w+|canta\w*|inventa\w*|imagina\w*|sugiere\w*"
    r"|cuenta(?:me)? (?:un|una|algo|otr[oa])|dame (?:una?|\w+ (?:consejos|ideas))|ayudame a escribir)\b"
)
_BEFORE = (  # what stands before a question
    r"(?:(?:hi|hello|hey|ok|so|and|but|please|afina|can you|could you|do you know|i (?:want|would like) to know"
    r"|hola|pues|y|pero|por favor|puedes|podrias|sabes|me puedes|quiero saber"
    r"|tell me|show me|dime|decirme|me dices) )*"
)
_FACT = re.compile(  # Who founded Brenmoor? A small model invents an answer; the documents say that they hold none.
    _BEFORE + r"(?:(?:in|at|on|by|for|from|to|of|with|since|until) )?(?:who|whom|whose|what|which|when|where|why"
    r"|how (?:many|much|long|old|far|often|big|large|high|tall|did|does|was|were|is|are|has|have)"
    r"|is|was|were|did|does|has|have|name (?:the|all|every)|list (?:the|all|every)|about"
    r"|(?:a|de|en|por|para|con|desde|hasta|segun) (?:quien(?:es)?|que|cual(?:es)?|cuando|donde|cuant[oa]s?)"
    r"|quien(?:es)?|que|cual(?:es)?|cuando|donde|cuant[oa]s?|como (?:fue|es|era|esta|termino)|hablame de)\b"
)
_OPEN = re.compile(  # asks for advice, an opinion, a word, a sum: nothing that a document is asked for
    r"\b(?:(?:how|what|which|where|when|why|who) (?:\w+ )?"
    r"(?:should|can|could|would|shall|do|might|to)(?: i| you| we|$| \w+$)"
    r"|who would|would you|do you think|rhymes? with|synonyms?|the meaning of (?:life|the word)"
    r"|is it (?:ok|okay|healthy)"
    r"|(?:in|into|to) (?:english|french|spanish|german|italian)"
    r"|(?:que|como|donde|cuando|cual) (?:me |nos )?(?:puedo|podemos|debo|deberia|podria|hago|recomiendas"
    r"|aconsejas|opinas|piensas|crees)|como se (?:dice|escribe|hace)|rima con|sinonimos?"
    r"|en (?:ingles|frances|espanol|aleman))\b"
)
_SUM = re.compile(
    r"(?:what|how much) (?:is|s|are)(?: (?:\d+|plus|minus|times|x|by|divided|and))+|cuanto (?:es|son)(?: \w+)+"
)


def choose(
    question: str, *, history: Sequence[Turn], documents: Collection[int] | None, library: Library, language: str
) -> RouteChosen:
    """`documents`: those of the conversation; `language`: of the reason."""

    def route(to: Route, key: str, confidence: float, **values: object) -> RouteChosen:
        return RouteChosen(to, say(key, language, **values), round(confidence, 2))

    searchable = {document.id: document for document in library.documents() if document.status.searchable}
    if is_small_talk(question):
        return route(Route.CHAT, "small_talk", 0.95)
    if searchable.keys() & set(documents or ()):
        return route(Route.DOCUMENTS, "attached", 0.95)
    if not searchable:
        return route(Route.CHAT, "empty", 1.0)
    if _MENTION.search(folded(question)):
        return route(Route.DOCUMENTS, "mentioned", 0.8)
    fact = _is_fact(question)
    passages = library.search(question, k=_LOOKED_AT)
    best = max(passages, key=lambda passage: passage.dense, default=None)
    if best is None and not fact:
        return route(Route.CHAT, "far", 0.9)
    if best is None or best.dense == 0.0:  # vectors are still being loaded or made: words found it
        return route(Route.DOCUMENTS, "perhaps", 0.5)
    asked_in = detect(question) or language
    near, far = _limits(asked_in, searchable[best.document].language)
    if best.dense >= near:
        return route(Route.DOCUMENTS, "near", min(0.95, 0.5 + best.dense), title=best.title, page=best.page)
    if _REQUEST.match(_plain(question)):
        return route(Route.CHAT, "far", min(0.95, 1.0 - best.dense))
    if _goes_on(history):
        return route(Route.DOCUMENTS, "perhaps", 0.5)
    if not fact and best.dense < far and _shared(question, passages, asked_in) < _ENOUGH:
        return route(Route.CHAT, "far", min(0.95, 1.0 - best.dense))
    return route(Route.DOCUMENTS, "perhaps", 0.5)


def _is_fact(question: str) -> bool:
    """Whether it asks for something that is so or is not: what documents are for, even where these do not hold it."""
    plain = _plain(question)
    return _FACT.match(plain) is not None and not (
        _OPEN.search(plain) or _SUM.fullmatch(plain) or _REQUEST.match(re.sub(_BEFORE, "", plain, count=1))
    )


def _limits(asked: str, written: str) -> tuple[float, float]:
    """From which cosine on a passage is near, and below which it is far. Languages: "" stands for English."""
    asked, written = asked or "en", written or "en"
    return _NEAR.get(asked, _NEAR["en"]), _FAR.get(asked, _FAR["en"]) if asked == written else _FAR_ACROSS


def _shared(question: str, passages: Sequence[Passage], language: str) -> float:
    """The largest share of the question's words, as stems, that one passage holds: 0..1."""
    asked = set(stems(question, language))
    return max((len(asked.intersection(stems(p.text, language))) / len(asked) for p in passages if asked), default=0.0)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", folded(text)))


def _goes_on(history: Sequence[Turn]) -> bool:
    """Did the last answer cite documents? Then "and the year before?" asks them too."""
    answers = [turn.text for turn in history if turn.role == "assistant"]
    return bool(answers) and _MARK.search(answers[-1]) is not None
