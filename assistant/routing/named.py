"""In: a message, the personas there are. Out: which of them is to answer, and how sure that is. Asks no model.

    "@marv hi" · "Marv, tell me a joke" · "¿Qué diría Marv de esto?"      → Marv
    "My friend Marv is coming for dinner" · "Who was Joan of Arc?"          → nobody

A persona whose name is an everyday word ("Will", "Chef") answers only where it is plainly spoken to.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.history.words import folded
from assistant.personas import mentions

if TYPE_CHECKING:
    from assistant.personas.card import Persona

NAME = "qxname"  # stands for the name in the patterns below: a word that no message holds
_ADDRESSED = [  # plain words, the name as NAME
    rf"(?:(?:hey|hi|hello|hola|oye|oiga|yo|ok|okay|so|well|now|good (?:morning|afternoon|evening|night)|dear|thanks|thank you|gracias|venga|buenas|buenos dias|buenas (?:tardes|noches)|eh|y tu|ahora tu|and you|sup|what s up|que tal|please|por favor) )*{NAME}\b(?! (?:is|was|has|had|and i|and my|says that|told me|got|will be|went|lives|works|came|likes me|es mi|era|fue|vive|trabaja|viene|ha|y yo|se (?:casa|ha|fue|va)|me (?:tiene|ha|dijo|debe|llamo)|esta (?:enfermo|en|malo)))",
    rf"\b(?:ask|tell|let|have|get|make|call|summon|bring|bring in|use|put|invoke|consult|try|choose|pick|prefer|want|wants?|hear|with|to|for|from|as|like|be|by|than|activate|load|give)(?: me)?(?: to| on| from| with| as| like)? {NAME}\b",
    rf"\b(?:would|could|can|should|does|did|will|is|how would|might|may) {NAME} (?:say|think|answer|explain|help|describe|reply|tell|know|like|agree|put|respond|be|do|see|believe|recommend|suggest|react|handle|there|around|available|write|feel|cook|have|want|give|make|joke|call)\b",
    rf"\b(?:what|how|why|where|which|who|when)(?: \w+){{0,3}} (?:does|would|did|might|could|will|do|can|s|is) {NAME}\b(?=.*\w)",
    rf"\b{NAME} s (?:\w+ )?(?:opinion|view|take|voice|style|words|answer|turn|thoughts|way|tone|advice|help|perspective|version|manner|place|shoes|reply|response)\b|\b{NAME} (?:style|mode|voice)\b",
    rf"\b(?:opinion|voz|estilo|boca|manera|tono|punto de vista|palabras|version|consejo|turno|respuesta|ayuda|modo|modo de ver|personalidad|parecer) (?:de |a )?{NAME}\b",
    rf"\b(?:pregunta|preguntale|preguntadle|preguntemosle|preguntarle|dile|decirle|cuentale|contarle|pidele|pedirle|pasale|pasaselo|consulta|consultale|usa|usar|cambia|cambiar|pon|ponme|llama|llamar|trae|mete|activa|elige|escoge|deja|dejale|hablar|habla|hablame|responde|respondeme|contesta|contestame|escribe|explica|explicame|explicamelo|cuenta|cuentame|cuentamelo|actua|haz|hazlo|finge|imita|oir|escuchar|se|toca)(?: \w+){{0,4}}? (?:a |como |con |que |en plan |por |de |para |al estilo de |lo haria |si fueras |que eres |fueras |eres )*{NAME}\b",
    rf"\b(?:que|como|cuando|donde|cual|quien)(?: \w+){{0,3}} (?:diria|dice|opina|opinaria|piensa|pensaria|cree|creeria|explicaria|describiria|responderia|contestaria|haria|sabe|recomienda|recomendaria|aconseja|aconsejaria|sugiere|cocinaria|escribiria|contaria|ve|veria|sentiria|le parece a|le pareceria a)(?: a)? {NAME}\b",
    rf"\b(?:que|deja que|dejad que|haz que|quiero que|prefiero que|me gustaria que|pide que|hagamos que) (?:lo |la |me lo |me la |me |nos |se lo |esta la |esto lo )?(?:\w+ )?{NAME}\b|\bque (?:(?:me |nos |te |se )?(?:lo |la |los )?)?(?:conteste|responda|diga|cuente|explique|hable|escriba|opine|describa|resuma|salude|ayude|siga|decida|lea|haga)(?: \w+){{0,2}} {NAME}\b",
    rf"\b(?:puede|podria|sabe|sabria|quiere|le gustaria a|esta de acuerdo|esta|le gusta a) {NAME}\b",
    rf"\b{NAME} (?:que|puedes|podrias|sabes|dime|dinos|cuentame|explicame|explica|responde|contesta|opina|tu|te|quien|como|cual|cuando|donde|por|di|haz|ayudame|resume|escribe|tell|what|who|why|how|when|where|which|can|could|do|are|you|your|explain|answer|please|give|write|say|help|would you|sabe|puede|opina|piensa|dice|diria)\b",
    rf"\b(?:como|con|segun|al habla|para|de parte de|lo de|tipo|plan|ahora|toca a|turno de|le toca a|y|and|or|about what|what about|how about|according to|in the voice of|in the style of|pretend (?:to be|you re|you are)|speak to|talk to|speak with|talk with|answer as|reply as|respond as|switch to|change to|over to|question for|message for|pregunta (?:para|a)|es para|that s for) {NAME}\b",
    rf"[\w] {NAME}$",
]
_ABOUT = [  # spoken of, not to
    rf"\b(?:my|your|his|her|our|their|called|named|mi|(?<!y )tu|su|nuestr[oa]|se llama|llamad[oa]|me llamo|i am|i m|soy|mr|mrs|ms|sir|saint|st|don|dona|senor|senora|san|santa|name is|nombre(?: de)?|the name|uncle|aunt|tio|tia|actor|singer|president|king|queen|rey|reina)(?: (?!(?:to|with|for|from|by|like|as|a|con|para|que|de|como)\b)\w+)? {NAME}\b(?! (?:persona|voice|style|mode))",
    rf"\b(?:who|what|quien|que|what kind of \w+)(?: is| was| are| s| es| fue| era| significa)+ {NAME}\b(?! (?:think|say|opinion|s))",
    rf"\b{NAME} (?:and (?:i|my)|y (?:yo|mi)) ",
    rf"\bis {NAME} an? (?:common|good|nice|real|boy|girl|name|popular)\b|\bes (?:comun|un nombre|bonito)\b.*{NAME}",
    rf"\b(?:miss|know|met|love|saw|visited|marry|married|hate|echo de menos a|conozco a|vi a|quiero mucho a|me case con|odio a)(?: \w+){{0,3}} {NAME}\b(?! s\b)",
    rf"\b(?:about|sobre|with|con|for|para) (?:a |an |un |una |my |mi )(?:\w+ ){{1,4}}{NAME}\b",
]
_FORMAL = [  # for a name that is an everyday word, as it is written, capital letter and all
    r"^(?:(?:hey|hi|hello|ok|hola|oye|gracias|thanks|buenos días|buenas),? )?{name}\s*[,:!](?!\w)",
    r",\s*{name}\s*[?.!]*$",
    r"\b(?:ask|let|have|tell|pregúntale a|pregunta a|dile a|que conteste|que responda|háblame como|answer as|talk like|switch to|cambia a|speak to|talk to|hablar con|deja que|in the voice of|con la voz de|what would|qué diría)\s+{name}\b",
]


_TRADES_AND_THINGS = (  # what personas are called, too
    "chef cook teacher coach doctor lawyer editor writer pirate poet expert tutor guide critic judge "
    "captain professor nurse friend robot wizard king queen boss mum mom dad grandma grandpa hope faith "
    "grace mark bill rose frank jack max joy dawn rob pat sue art ray drew chase hunter cocinero cocinera "
    "profesor profesora maestro maestra medico abogado abogada poeta pirata experto experta guia capitan "
    "juez amigo amiga mago rey reina jefe jefa abuela abuelo mama papa rosa luz sol paz mar dolores angel "
    "cielo alma esperanza consuelo"
)
_EVERYDAY = frozenset(_TRADES_AND_THINGS.split())


@dataclass(frozen=True, slots=True)
class Named:
    persona: str  # its name
    text: str  # the message with NAME in its place, plain
    confidence: float  # that it is to answer, 0..1


def find(message: str, personas: Sequence[Persona], common: Collection[str]) -> Named | None:
    """Who is to answer. `common`: everyday words, plain."""
    names = {one.handle: one.name for one in personas}
    if "@" in message and (at := mentions.find(message, names)) is not None:
        return Named(names[at.handle], _plain(at.text), 0.99)
    plain = f" {_plain(message)} "
    found: Named | None = None
    for name in sorted(names.values(), key=len, reverse=True):
        own = _plain(name)
        if not own or f" {own} " not in plain:
            continue
        masked = re.sub(rf"(?<= ){re.escape(own)}(?= )", NAME, plain).strip()
        confidence = _everyday(message, name) if _is_common(own, common) else _spoken_to(masked, message, name)
        if confidence and (found is None or confidence > found.confidence):
            found = Named(name, masked, confidence)
    return found


_LEAD = (  # what stands before a question that is handed to somebody
    r"^\W*(?:(?:hey|hi|hello|ok|okay|please|so|now|hola|oye|venga|por favor|can you|could you|puedes|podrías)\W+)*"
    r"(?:(?:ask|tell|let|have|get|make)\s+|(?:preg[uú]nta(?:le|r|rle)?|dile|decirle|p[ií]dele|consulta(?:le)?)\s+a\s+"
    r"|que\s+(?:me\s+)?(?:responda|conteste|diga|explique)\s+)?"
)
_HANDED = r"(?:\s+(?:to\s+)?(?:answer|tell\s+me|explain)(?:\s+(?:this|me))?)?[\s,:;.!?—-]+"


def without(message: str, personas: Sequence[Persona]) -> str:
    """The question that is handed to one of them: "Ask Marv what 2 + 2 is" → "what 2 + 2 is"; else as it is."""
    for name in sorted((one.name for one in personas), key=len, reverse=True):
        handed = re.match(_LEAD + re.escape(name) + _HANDED, message, re.IGNORECASE)
        if handed is not None and (rest := message[handed.end() :].strip()):
            return rest
    return message


def masked(message: str, personas: Sequence[Persona]) -> str:
    """The message without anybody's name, and as it is written where it names nobody: what the classifier reads."""
    plain = words = f" {_plain(message)} "
    for name in sorted((one.name for one in personas), key=len, reverse=True):
        if own := _plain(name):
            plain = plain.replace(f" {own} ", f" {NAME} ")
    return message if plain == words else plain.strip()


_YOU = "tú|usted|vos|you|yo|hey|hi|hello|hola|oye|oiga|ey|eh"  # before a name that a comma or a colon follows


def _spoken_to(text: str, message: str, name: str) -> float:
    about = any(re.search(pattern, text) for pattern in _ABOUT)
    family = re.search(rf"\b{re.escape(name)}\s+(?:(?:of|de) )?[A-ZÁÉÍÓÚÑ][a-záéíóúñ]+", message)  # "Marv Albert"
    vocative = re.search(
        rf"(?:^|[,.:;!?¿¡]\s*(?:\w+ ){{0,2}}){re.escape(name)}\s*(?:[,:!?.]|$)", message, re.IGNORECASE
    )
    you = re.search(rf"(?:^|\W)(?:{_YOU}),?\s+{re.escape(name)}\s*[,:!?]", message, re.IGNORECASE)
    if you or (vocative and not about):
        return 0.97
    if about or (family and not vocative):
        return 0.0
    at_start = re.match(_ADDRESSED[0], text)
    if at_start or any(re.search(pattern, text) for pattern in _ADDRESSED[1:]):
        return 0.93
    return 0.0 if re.search(rf"\b{NAME} (?:is|was|has|had|es|era|fue|ha|viene|came|went|got)\b", text) else 0.7


def _everyday(message: str, name: str) -> float:
    written = re.escape(name)
    return (
        0.9 if any(re.search(pattern.replace("{name}", written), _loose(message, name)) for pattern in _FORMAL) else 0.0
    )


def _loose(message: str, name: str) -> str:
    """Lower case but for the name where it is written with its capitals."""
    return (
        re.sub(re.escape(name.casefold()), "\x00", message.casefold())
        if name not in message
        else "".join(name if part is None else part.casefold() for part in _parts(message, name))
    )


def _parts(message: str, name: str) -> list[str | None]:
    pieces: list[str | None] = []
    for number, piece in enumerate(message.split(name)):
        pieces += [None, piece] if number else [piece]
    return pieces


def _is_common(own: str, common: Collection[str]) -> bool:
    return all(word in common or word in _EVERYDAY for word in own.split())


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", folded(text)))
