"""In: a message. Out: what it asks the clock, as the clock's arguments, or None. Knows nothing of routes.

    "What time is it in Tokyo?"              → {"place": "tokyo"}
    "¿Cuántos días faltan para Navidad?"     → {"until": "navidad"}
    "If it's 3pm in London, what time is it in Lima?" → {"place": "london", "to": "lima", "when": "3pm"}

The whole message must be that question, and every place and date in it one that the clock knows.
"""

from __future__ import annotations

import re
from typing import Any

from assistant.history.words import folded
from assistant.routing.spelled import spelled
from assistant.tools.tool import ToolError, Work

Arguments = dict[str, Any]

_BEFORE = re.compile(
    r"(?:(?:hey|hi|hello|ok|okay|so|and|also|then|please|pls|afina|hola|oye|perdona|y|pues|ahora|por favor|porfa"
    r"|excuse me|sorry|quick question"
    r"|(?:can|could|would|will) you(?: please)?(?: tell me| say| give me| check| work out| calculate| find out)?"
    r"|tell me|give me|show me|say|let me know|do you (?:know|happen to know)|i (?:want|need|would like|d like) to know"
    r"|i wonder|calculate|work out|check|find out|(?:me )?(?:puedes|podrias|sabes|sabrias)(?: decirme| decir| calcular| darme)?"
    r"|me (?:dices|das|calculas)|dime|dame|decirme|calcula|quiero saber|necesito saber|quisiera saber|exactly|just),? )+"
)
_AFTER = re.compile(
    r",?(?: (?:please|pls|now|right now|at the moment|currently|at present|exactly|there|thanks|thank you|today|por favor"
    r"|porfa|ahora(?: mismo)?|en este momento|actualmente|gracias|exactamente|alli|alla|hoy|or what|if i may ask))+$"
)
_P = r"(?P<place>[^\d,:?]{2,40}?)"
_Q = r"(?P<to>[^\d,:?]{2,40}?)"
_T = r"(?P<when>(?:a )?(?:las? )?(?:\d{1,2}(?:[:.h]\d{2})?(?: ?(?:am|pm|a m|p m|h|hrs|horas|de la (?:manana|tarde|noche)))?|noon|midnight|midday|mediodia|medianoche))"
_A, _B = r"(?P<when>.{3,40}?)", r"(?P<until>.{3,40}?)"
_SPAN = r"(?P<add>(?:\d+|an?|una?) (?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|fortnights?|segundos?|minutos?|horas?|dias?|semanas?|mes(?:es)?|anos?)(?: (?:and|y) (?:\d+|an?|una?) \w+)?)"
_UNIT = r"(?:days?|weeks?|months?|years?|hours?|dias?|semanas?|mes(?:es)?|anos?|horas?|sleeps|weekends?)"
_TIME = (
    r"(?:w[h]?at(?: ?i?s)? (?:the )?(?:current |local |exact )?time(?: is it| it is| now| do they have| do we have)*|what hour is it"
    r"|(?:the )?(?:current |local )time|time(?: is it)?|the time|(?:do you )?(?:have|got) the time|whats the hour"
    r"|que horas?(?: es| son| tienen| tienes| sera| seran| tenemos)*(?: ahora)?|(?:la )?hora(?: actual| local| exacta| es)*|tienes hora)"
)
_IN = r"(?: now| right now| ahora| ahora mismo| currently)? (?:over )?(?:in|at|en|for|de|para) (?:the city of |la ciudad de )?"
_IS = r"(?:is|was|will be|would be|will it be|is it|was it|will|falls?|fell|did|does|es|fue|era|sera|cae|cayo|caera|cae en|cayo en)"
_TODAY = re.compile(
    r"(?:what(?: ?s| is)? (?:the )?(?:date|day|weekday|day of the week|month|year)(?: is it| is| it is| today| are we| are we in| of today| is today| is this)*"
    r"|what(?: ?s| is)? today(?: s)?(?: date| day)?|today(?: ?s)? (?:date|day)|(?:the )?(?:current )?date(?: of)?(?: today)?"
    r"|which (?:day|weekday|month|year|day of the week)(?: is it| is| are we| are we in| today)*|what day of the week(?: is it| is| today| it)*|(?:the )?current (?:date|day|month|year)"
    r"|(?:que|cual) (?:es )?(?:la )?(?:dia|fecha|mes|ano)(?: de la semana)?(?: es| estamos| de hoy| hoy)*|a (?:que|cuantos)(?: dia| fecha)?(?: estamos| es)(?: hoy)?"
    r"|(?:la )?fecha(?: de hoy| actual| hoy)?|en que (?:ano|mes|dia|fecha|dia de la semana)(?: estamos| vivimos)+|hoy(?: que)? (?:dia|fecha)(?: es)?|que dia de la semana(?: es)?(?: hoy)?"
    r"|hoy es que dia|el dia de hoy|is it (?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)|es (?:lunes|martes|miercoles|jueves|viernes|sabado|domingo)(?: hoy)?)"
)
_PATTERNS = [
    # a time elsewhere
    rf"(?:if|when|suppose|say) (?:it ?(?:is|s)|its) {_T} (?:in|at|here in) {_P},? (?:then )?(?:what|which) (?:time|hour)(?: ?s| is| will)?(?: it| be| that)*(?: in| at| for) {_Q}",
    rf"{_T} (?:in|at) {_P} (?:is|equals|is equal to|to|would be)(?: what)?(?: time)? (?:is it )?in {_Q}(?: time)?",
    rf"{_T} {_P} time (?:in|to|is what time in) {_Q}(?: time)?",
    rf"(?:convert |change |what is |what s )?{_T} (?:in |from )?{_P}(?: time)? (?:to|into|in) {_Q}(?: time)?",
    rf"(?:what|which) (?:time|hour)(?: is| s| will)?(?: it| be)* in {_Q},? (?:if|when) (?:it ?(?:is|s)|its) {_T} in {_P}",
    rf"si (?:aqui )?(?:en {_P} (?:son|es|fueran)(?: las?)? {_T}),? (?:que|cual) hora (?:es|sera|seria|son) en {_Q}",
    rf"(?:si|cuando) (?:son|es|fueran)(?: las?)? {_T} en {_P},? (?:que|cual) hora (?:es|sera|seria|son) en {_Q}",
    rf"(?:cuando|si) en {_P} (?:son|es)(?: las?)? {_T},? (?:que hora (?:es|sera) )?en {_Q}(?: que hora es)?",
    rf"que hora (?:es|sera|seria|son) en {_Q},? (?:si|cuando) (?:en {_P} (?:son|es)(?: las?)? {_T})",
    rf"que hora (?:es|sera|seria|son) en {_Q},? (?:si|cuando) (?:son|es)(?: las?)? {_T} en {_P}",
    rf"(?:las )?{_T} (?:de|en) {_P} (?:a que hora (?:son|corresponden|equivalen) en|que hora (?:son|es|seria) en|son en|en hora de|a hora de) {_Q}",
    rf"(?:what(?: is|s| s)? )?(?:the )?(?:time|hour) (?:zone )?(?:difference|gap|offset) (?:between|from) {_P} (?:and|to) {_Q}",
    rf"(?:cual es |que )?(?:la )?diferencia (?:horaria|de horas?|de horario)(?: hay)? entre {_P} y {_Q}",
    rf"how many hours (?:is|are) {_P} (?:ahead of|behind|from) {_Q}",
    rf"cuantas horas (?:de diferencia )?hay (?:de diferencia )?entre {_P} y {_Q}",
    # a span
    rf"(?:what|which) (?:date|day|weekday|day of the week|time|month|year) (?:{_IS} ?(?:it)? ?(?:be )?)?(?:in|after) {_SPAN}(?: time)?(?: from (?:now|today))?",
    rf"(?:what|which) (?:date|day|weekday|day of the week|time|month|year) (?:{_IS} ?(?:it)? ?(?:be )?)?{_SPAN} (?:from|after) (?:now|today)",
    rf"(?:the )?(?:date|day|what(?: is|s| s) the date)(?: is)? (?:in )?{_SPAN}(?: from (?:now|today))?",
    rf"{_SPAN} from (?:now|today)(?: is (?:what|which) (?:day|date))?",
    rf"in {_SPAN},? (?:what|which) (?:date|day|time)(?: will it be| is it)?",
    rf"(?:que|cual) (?:dia|fecha|hora|mes|ano|dia de la semana)(?: {_IS}| estaremos| habra)* (?:dentro de|en|despues de|a partir de hoy en) {_SPAN}",
    rf"(?:dentro de|en) {_SPAN},? (?:a )?(?:que|cual) (?:dia|fecha|hora)(?: {_IS}| estaremos)*(?: sera)?",
    rf"(?:la )?fecha (?:de )?(?:dentro de|en) {_SPAN}",
    # a span from a date
    rf"(?:what|which|que|cual) (?:date|day|dia|fecha)(?: {_IS})?(?: it)? {_SPAN} (?:after|from|despues del?|tras el|a partir del?) {_A}",
    rf"{_SPAN} (?:after|despues del?) {_A}",
    # two dates
    rf"(?:how many )?{_UNIT}(?: are there| are| is it| were there| passed| elapsed| go by| pass)* (?:between|from) {_A} (?:and|to|until|till) {_B}",
    rf"(?:cuant[oa]s )?{_UNIT}(?: hay| van| pasan| pasaron| transcurren| habia| han pasado)* (?:entre|desde|del?) (?:el )?{_A} (?:y|al?|hasta)(?: el)? {_B}",
    rf"how long (?:is it |was it )?(?:between|from) {_A} (?:and|to|until) {_B}",
    rf"(?:cuanto tiempo|cuanto)(?: hay| pasa| paso| va)* (?:entre|desde|del?) (?:el )?{_A} (?:y|al?|hasta)(?: el)? {_B}",
    # to a date
    rf"(?:how many|number of|count(?:down)?(?: the)?)? ?(?:more )?{_UNIT}(?: are there| are left| left| remain(?:ing)?| is it| do we have| to go| are we| to wait)* (?:until|till|til|before|to) (?:the )?{_B}",
    rf"how (?:long|much time|far)(?: is it| left| is left| away is| do we have| have we got| is there| before| off is)*(?: is)?(?: until| till| til| before| to)? ?(?:the )?{_B}",
    rf"(?:the )?(?:time|countdown)(?: left| remaining)? (?:until|till|to) (?:the )?{_B}",
    rf"(?:cuant[oa]s |numero de )?{_UNIT}(?: nos| me)?(?: faltan| quedan| hay| falta| queda| restan)+ (?:para|hasta|a)(?: el| la)? {_B}",
    rf"(?:cuanto(?: tiempo)?|que)(?: nos| me)?(?: falta| queda| hay)+ (?:para|hasta|a)(?: el| la)? {_B}",
    rf"{_UNIT} (?:hasta|para)(?: el)? {_B}",
    # one date
    rf"(?:on )?(?:what|which) (?:date|day|weekday|day of the week|week day)(?: of the week)? (?:{_IS} )*(?:on )?(?:the )?{_A}(?: fall(?:s)?(?: on)?| be| on| land on)?",
    rf"(?:en )?(?:que|cual) (?:dia|fecha)(?: de la semana)?(?: {_IS})+(?: en)?(?: el)? {_A}",
    rf"(?:el )?{_A} (?:que dia(?: de la semana)?|en que dia)(?: {_IS})+",
    rf"(?:what(?: is|s| s)? )?(?:the )?(?:date|day)(?: of| on| for) {_A}",
    rf"(?:la )?fecha (?:del?|el) {_A}",
]
_BACK = [
    rf"(?:what|which) (?:date|day|weekday|day of the week|time) (?:{_IS} ?(?:it)? ?)?(?:the )?(?:date )?{_SPAN} (?:ago|back|before today|earlier)",
    rf"(?:the )?(?:date|what(?: was|s| s) the date) {_SPAN} ago",
    rf"{_SPAN} ago(?: was (?:what|which) (?:day|date))?",
    rf"(?:que|cual) (?:dia|fecha|hora)(?: de la semana)?(?: {_IS})* hace {_SPAN}",
    rf"hace {_SPAN}(?: que (?:dia|fecha))?(?: {_IS})*",
]
_SINCE = [
    rf"(?:how many )?{_UNIT}(?: have| has| had| is it| it is| it s)*(?: passed| elapsed| gone by| been)* since (?:the )?{_A}",
    rf"how long (?:ago was|has it been since|is it since|since) (?:the )?{_A}",
    rf"(?:cuant[oa]s )?{_UNIT}(?: han| hace| van| llevamos)*(?: pasado| transcurrido)* desde(?: el)? {_A}",
    rf"(?:cuanto(?: tiempo)?)(?: ha| hace| lleva)*(?: pasado| transcurrido)*(?: que fue| desde) ?(?:el )?{_A}",
    rf"(?:how old|what age) (?:is|am|are|would be|will)(?: someone| a person| somebody| i| you| he| she)*(?: be)?,?(?: who was| if i was| if he was| if she was)? ?born (?:on|in) {_A}",
    rf"(?:que edad|cuantos anos) (?:tiene|tengo|tendria|tienes)(?: alguien| una persona| si)*(?: que)?(?: nacio| naci| nacid[oa])+ (?:el|en)? ?{_A}",
]
_ELSEWHERE = [
    rf"(?:is it|is it already|is it still)(?: already| still| now)* (?:tomorrow|late|night(?:time)?|morning|day(?:time)?|evening|afternoon|dark|early|monday|friday|sunday|saturday)(?: already| now| yet)* in {_P}",
    rf"(?:es|ya es|sigue siendo)(?: ya| ahora| muy)* (?:manana|tarde|temprano|de noche|de dia|por la manana|lunes|viernes|domingo)(?: ya| ahora)* en {_P}",
    rf"(?:what|which) (?:date|day)(?: is it| it is)+ (?:now |today )?in {_P}",
    rf"(?:que|cual) (?:dia|fecha) es (?:ahora |hoy )?en {_P}",
]
_DATE_IN = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|(?:the )?\d{1,2}(?:st|nd|rd|th)?(?: of| de)? [a-z]{3,10}(?:,? (?:of |del? )?\d{4})?"
    r"|[a-z]{3,10} \d{1,2}(?:st|nd|rd|th)?(?:,? \d{4})?"
    r"|christmas(?: eve| day)?|new year ?s?(?: eve| day)?|halloween|valentine ?s day|navidad|nochebuena|nochevieja|ano nuevo|fin de ano|reyes"
    r"|tomorrow|manana|pasado manana|yesterday|today|hoy|ayer|(?:next|this|last|proximo|este|pasado) \w+"
)


def read(message: str, language: str) -> Arguments | None:
    text = _tidy(spelled(message, language))
    if not 3 <= len(text) <= 160:
        return None
    for asked in dict.fromkeys((text, *_stripped(text))):
        found = _matched(asked, language)
        if found is not None:
            return {key: _as_written(value, message) for key, value in found.items()}
    return None


def _as_written(value: str, message: str) -> str:
    """ "ciudad de mexico" → "Ciudad de México": the piece of the message, where it stands there."""
    words = re.findall(r"[\w:/.-]*\w", message)
    wanted = value.split()
    for start in range(len(words) - len(wanted) + 1):
        piece = words[start : start + len(wanted)]
        if [folded(word) for word in piece] == wanted:
            return " ".join(piece)
    return value


def elsewhere(message: str, before: Arguments, language: str) -> Arguments | None:
    """A follow-up to a question of the clock: "and in Tokyo?", "¿y para Navidad?"."""
    text = _stripped(_tidy(spelled(message, language)))[-1]
    found = re.fullmatch(
        r"(?:(?:and|what about|how about|y|que tal) )*(?:in|en|para|for|until|hasta) (?P<what>.{2,40})", text
    )
    if not found:
        return None
    what = found["what"]
    options = (
        [{"until": what}] if before.get("until") else [{**before, "to": what} if before.get("to") else {"place": what}]
    )
    return next((one for one in options if _runs(one, language)), None)


def _tidy(text: str) -> str:
    text = re.sub(r"(?<=[a-z])['’](?=[a-z])", " ", text)
    text = re.sub(r"[¿?¡!\"“”«»()]|\.(?!\d)|(?<!\d)\.|:(?!\d)", " ", text)
    text = re.sub(r"\b([ap]) ?\.? ?m\b\.?", r"\1m", text)
    text = re.sub(r"\b(year|valentine) s\b", r"\1s", text)  # as the clock knows them
    return re.sub(r"\s+", " ", text).strip(" ,.;")


def _stripped(text: str) -> list[str]:
    found = _BEFORE.match(text + " ")
    head = text[found.end() :] if found else text
    tails = [one for one in (text, head) if one]
    for one in list(tails):
        cut = _AFTER.sub("", one)
        if cut and cut != one:
            tails.append(cut)
    return sorted(dict.fromkeys(tails), key=len, reverse=True)


def _matched(text: str, language: str) -> Arguments | None:
    if re.fullmatch(_TIME, text) or _TODAY.fullmatch(text):
        return {}
    place = re.fullmatch(_TIME + _IN + _P, text) or re.fullmatch(
        rf"{_P} (?:local |current )?time(?: now)?",
        text.removeprefix("local time ") + " time" * text.startswith("local time "),
    )
    for found in (place, *(re.fullmatch(pattern, text) for pattern in _ELSEWHERE)):
        if found and _is_place(found["place"]):
            return {"place": found["place"]}
    for patterns, make in ((_BACK, _ago), (_SINCE, _since), (_PATTERNS, _given)):
        for pattern in patterns:
            match = re.fullmatch(pattern, text)
            arguments = make({key: value for key, value in match.groupdict().items() if value}) if match else {}
            found_ = _checked(arguments, language)
            if found_:
                return found_
    return None


def _given(found: Arguments) -> Arguments:
    if re.fullmatch(r"(?:las? )?\d{1,2}", found.get("when", "")) and "place" in found:
        found["when"] = f"{found['when'].split()[-1]}:00"
    return found


def _ago(found: Arguments) -> Arguments:
    return {"add": f"-{found['add']}"}


def _since(found: Arguments) -> Arguments:
    return {"when": found["when"], "until": "today"}


def _checked(arguments: Arguments, language: str) -> Arguments | None:
    """As they are where the clock takes them, else with the date alone: "my birthday on June 5" → "june 5"."""
    if not arguments or any(not _is_place(arguments[key]) for key in ("place", "to") if key in arguments):
        return None
    if _runs(arguments, language):
        return arguments
    narrowed = dict(arguments)
    for key in ("when", "until"):
        if key in arguments and "place" not in arguments:
            dates = _DATE_IN.findall(arguments[key])
            if len(dates) != 1:
                return None
            narrowed[key] = dates[0]
    return narrowed if narrowed != arguments and _runs(narrowed, language) else None


def _is_place(name: str) -> bool:
    from assistant.tools import places

    try:
        places.find(name)
    except ToolError as error:
        return "more than one time zone" in str(error)
    return True


def _runs(arguments: Arguments, language: str) -> bool:
    from assistant.tools.clock import Clock, run

    try:
        run(Clock(**arguments), Work(language=language))
    except ToolError as error:
        return "more than one time zone" in str(error)
    return True
