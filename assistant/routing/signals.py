"""In: a message. Out: what can be told from its words alone, each a yes or no. Knows nothing of libraries or routes.

The classifier weighs them beside what the embedder and the letters say; a few are asked for by name.
"""

from __future__ import annotations

import re

import numpy as np

from assistant.history.words import folded
from assistant.routing.tool_calls import Readings
from assistant.small_talk import is_small_talk
from knowledge import FloatMatrix

MENTION = re.compile(  # of documents; as `folded` leaves it
    r"\b(?:documents?|docs?|files?|pdfs?|reports?|filings?|pages? \d+|(?:which|what|on|last|first|this) pages?|10-?[kq]|8-?k|(?:the|this|that|these|those|my|our|his|her|their|which|each|first|second|research|white|working|conference) papers?(?! (?:plane|airplane|boat|bag|cup|hat|towel|clip|cut|crane|mache)s?)|contract|agreement|lease|invoice|manual|handbook|minutes|appendix|annex|chapter|clause|attach(?:ed|ment)|uploaded|spreadsheet|csv|balance sheet|annual report|policy document|section \d+"
    r"|documentos?|archivos?|ficheros?|informes?|memorias? anual(?:es)?|la memoria|(?:que|la|ultima|primera|esta) paginas?|paginas? \d+|contratos?|acuerdo|facturas?|adjunt[oa]s?|anexo|capitulo|clausula|acta|apuntes|escritura|prospecto|subido|hoja de calculo|balance de situacion|apartado)\b"
)
# What stands in these is the person's own or another's text to be made or worked on, not a document to be asked.
_MAKE = re.compile(
    r"^(?:(?:please|can you|could you|would you|por favor|puedes|podrias|me|hey|hi|ok|now|afina|i want you to|i need you to|help me|ayudame a|quiero que) )*"
    r"(?:write|compose|draft|rewrite|rephrase|translate|sing|invent|imagine|suggest|recommend|brainstorm|design|come up with|make up|pretend|roleplay|act as|plan|correct|fix|proofread|teach me|motivate|congratulate|convince|code|program"
    r"|tell me (?:an?|another|something|some)|give me (?:an?|some|another|\w+ (?:tips|ideas|names|reasons|facts|examples))|make (?:me )?(?:an?|it|up)|say (?:this|that|it)|let s|let us|create|generate"
    r"|escrib\w+|redact\w+|reescrib\w+|traduc\w+|canta\w*|compon\w*|inventa\w*|invente\w*|imagina\w*|sugi[er]+\w*|recomi[e]?nd\w*|propon\w*|disena\w*|finge|actua|planea|corrig\w+|ensename a|motivame|felicita|convence\w*|juguemos|piensa en"
    r"|cuenta(?:me)? (?:un|una|algo|otr[oa])|dame (?:una?|algun\w*|ideas|consejos?|\w+ (?:consejos|ideas|nombres|razones))|haz(?:me)? (?:una?|de|como|que)|crea|genera|di(?:lo| esto| eso|me algo))\b"
)
_CUES: dict[str, str] = {
    "make": _MAKE.pattern,
    "their": r"\b(?:the|this|these|that|those|el|la|los|las|este|esta|estos|estas|dicho|dicha) (?:\w+ ){0,2}(?:company|firm|tenant|landlord|employee|employer|author|study|project|contractor|supplier|patient|client|customer|buyer|seller|board|auditor|machine|device|product|warranty|deposit|rent|policy|plan|proposal|deadline|trial|experiment|empresa|compania|inquilin[oa]|arrendador|arrendatario|emplead[oa]s?|autor[ae]?s?|estudio|proyecto|proveedor|paciente|cliente|comprador|consejo|auditor|maquina|producto|garantia|fianza|renta|politica|propuesta|plazo|ensayo|ejercicio|sociedad|entidad|vivienda|tribunal)\b",
    "figures": r"\b(?:revenues?|net (?:income|sales)|earnings|profit|margin|ebitda|capex|capital expenditures?|cash flow|operating|dividends?|shares?|debt|assets|liabilities|goodwill|depreciation|headcount|turnover|fiscal|quarter|segments?|subsidiar\w+|shareholders?|ingresos|beneficios?|ventas|margen|flujo de caja|dividendos?|acciones|deuda|activos|pasivos?|fondo de comercio|amortizacion|plantilla|facturacion|ejercicio|trimestre|filiales|accionistas|subvencion)\b",
    "says": r"\b(?:according to|says? (?:about|on)|mention(?:s|ed)?|stated?|states|described|listed|cited|segun|menciona[ns]?|dice(?:n)? (?:sobre|de|el|la|los|las)|figura[n]?|aparece[n]?|consta[n]?|citad[oa]s?|recoge|indica[n]?|establece[n]?)\b",
    "year": r"\b(?:19|20)\d\d\b|\bq[1-4]\b|\bfy ?\d\d",
    "summary": r"\b(?:summar\w+|key (?:points|takeaways|findings)|main points|takeaways|gist|resum\w+|ideas (?:clave|principales)|puntos (?:clave|principales)|conclusion\w*)\b",
    "search_in": r"\b(?:find|search|look|list|extract|quote|show|busca\w*|encuentra|lista\w*|extrae\w*|cita\w*|muestra\w*|ensena\w*|enumera\w*|compara\w*|compare)\b",
    "who": r"^(?:(?:and|y) )?(?:who|whose|quien|quienes)\b",
    "world": r"\b(?:capital of|capital de|world war|guerra (?:mundial|civil|fria)|world cup|mundial de|rivers?|rio mas|in the world|del mundo|history of|historia de|planets?|planetas?|ocean|oceano|continents?|continentes?|moon|luna|earth|la tierra|sun|universe|universo|everest|dinosaurs?|dinosaurios?|roman|romano|romans|einstein|shakespeare|cervantes|napoleon|picasso|mozart|beatles|bible|biblia|olympics|photosynthesis|fotosintesis|gravity|gravedad|atoms?|atomos?|dna|adn|evolution|evolucion|pyramids?|piramides|revolution|revolucion|philosoph\w+|filosof\w+|president of|presidente de|country|countries|pais|paises|city|language|idioma|animals?|animales?|humans?|humanos|invented|inventor?|invento|discovered|descubrio|painted|pinto|wrote|escribio|composed|compuso|sky|cielo|sea|mar|rainbow|arcoiris|volcano\w*|volcan\w*|stars?|estrellas?)\b",
    "what_is_a": r"^(?:what(?: is| s| are)|whats|explain|define|que (?:es|son)|explica(?:me)?|define|explicale) (?:an? |the (?:difference|meaning|concept)|la diferencia|el concepto|un[oa]? )?\w+(?: \w+)?$",
    "difference": r"\b(?:difference between|diferencia (?:hay )?entre)\b",
    "mean": r"\b(?:meaning of|what does \w+ mean|synonym|opposite of|rhymes?|spell|how do you say|que significa|sinonimo|antonimo|rima|como se (?:dice|escribe)|se dice)\b",
    "how_to": r"^(?:(?:and|so|y|pues) )?(?:how (?:do|can|should|could|to|would) (?:i|you|we|one|people)?|what (?:should|can|could|would|do) (?:i|you|we)|should i|is it (?:ok|worth|rude|bad|good|normal|healthy|better)|como (?:puedo|hago|se hace|se|consigo|le|me)|que (?:puedo|hago|me|le|debo|deberia)|deberia|vale la pena|es (?:malo|bueno|mejor|normal|de mala))\b",
    "why": r"^(?:why|por que|how come)\b",
    "feel": r"^(?:i (?:am|m|feel|got|had|have|miss|love|hate|can t|cannot|don t|want to|need|spend)|i m|im|my|estoy|me (?:siento|aburro|duele|han|he|da|gusta)|he|no (?:puedo|se|entiendo|tengo)|tengo|echo|quiero|necesito|hoy|paso|mi)\b",
    "you": r"\b(?:you|your|yourself|u|ur|tu|te|ti|eres|sabes|puedes|tienes|crees|opinas|piensas|prefieres|hablas|suenas|vives)\b",
    "code": r"\b(?:python|javascript|java|sql|html|css|regex|function|funcion|script|loop|bucle|code|codigo|array|bash|react|algorithm|algoritmo|excel formula)\b",
    "food": r"\b(?:cook|recipe for|dinner|lunch|breakfast|bake|receta de|cenar|comer|cocino|cocinar|desayuno)\b",
    "now": r"\b(?:today|tonight|tomorrow|now|right now|currently|current|latest|this week(?:end)?|last night|yesterday|upcoming|recent|trending|hoy|manana|ahora|ahora mismo|actual(?:es|mente)?|ultim[oa]s?|esta (?:noche|semana|tarde)|ayer|anoche|proxim[oa]s|reciente)\b",
    "net": r"\b(?:web|internet|online|google\w*|search engine|site|website|link|enlace|pagina web|red|linea|twitter|youtube|wikipedia|reddit)\b",
    "public": r"\b(?:weather|forecast|news|headlines|price|stock|score|match|game|traffic|flights?|hotels?|restaurants?|strike|elections?|concerts?|movies?|cinema|theaters?|open(?:ing)? (?:today|hours|now)|exchange rate|dollar|euro|bitcoin|tiempo|pronostico|noticias|titulares|precio|bolsa|resultado|partido|trafico|vuelos|hoteles|restaurantes|huelga|elecciones|conciertos?|peliculas?|cine|abiert[oa]|cambio|dolar)\b",
    "follow": r"^(?:and|y|what about|how about|e)\b",
    "digit": r"\d",
    "two_digits": r"\d\D+\d",
    "short": r"^\W*\w+(?:\W+\w+)?\W*$",
    "proper": "",  # a name in the middle, as it is written
    "mention": MENTION.pattern,
    "small": "", "sum": "", "clock": "", "unit": "", "address": "", "searched": "", "live": "",
}  # fmt: skip
NAMES = tuple(_CUES)
_COMPILED = {name: re.compile(pattern) for name, pattern in _CUES.items() if pattern}


_PROPER = re.compile(r"\w[ ,]+(?:the )?[A-ZÁÉÍÓÚÑ][a-záéíóúñ]{2,}")


def cues(message: str, readings: Readings | None = None) -> FloatMatrix:
    """(len(NAMES),) of 0 and 1. `readings`: of the message, where it was read already."""
    read = readings if readings is not None and readings.message == message else Readings(message, "en")
    flat = folded(message)
    plain = " ".join(re.findall(r"[\w-]+", flat))
    found = {name: pattern.search(plain) is not None for name, pattern in _COMPILED.items()}
    found["proper"] = _PROPER.search(message) is not None
    found["small"] = is_small_talk(message)
    found["sum"], found["clock"], found["unit"] = read.sum is not None, read.clock is not None, read.unit is not None
    found["address"], found["searched"], found["live"] = bool(read.address), bool(read.searched), read.live
    return np.array([found[name] for name in NAMES], np.float32)


_BEFORE = (  # what stands before a question
    r"(?:(?:hi|hello|hey|ok|so|and|but|please|afina|can you|could you|do you know|i (?:want|would like|need) to know"
    r"|hola|pues|y|pero|por favor|puedes|podrias|sabes|me puedes|quiero saber|necesito saber"
    r"|tell me|show me|dime|decirme|me dices) )*"
)
_FACT = re.compile(  # Who founded Brenmoor? A small model invents an answer; the documents say that they hold none.
    _BEFORE + r"(?:(?:in|at|on|by|for|from|to|of|with|since|until) )?(?:who|whom|whose|what|which|when|where|why"
    r"|how (?:many|much|long|old|far|often|big|large|high|tall|did|does|was|were|is|are|has|have)"
    r"|is|are|was|were|did|does|has|have|can|may|must|am i (?:allowed|entitled|obliged|required)|do (?:i|we) (?:need|have to|get)|name (?:the|all|every)|list (?:the|all|every)|about"
    r"|(?:a|de|en|por|para|con|desde|hasta|segun|cada) (?:quien(?:es)?|que|cual(?:es)?|cuando|donde|cuant[oa]s?)"
    r"|quien(?:es)?|que|cual(?:es)?|cuando|donde|cuant[oa]s?|como (?:fue|es|era|esta|termino)|hablame de"
    r"|se (?:puede|permiten?|admiten?|debe)|(?:puedo|podemos|debo|debemos) (?!\w+(?:te|le)\b)|me (?:dejan|permiten)"
    r"|(?:tengo|tenemos) derecho|necesit(?:o|amos) (?:(?:un|una|el|la|algun) )?(?:permiso|justificante|autorizacion|consentimiento)"
    r"|hace falta|es obligatorio|hay|hubo|tiene|tienen|ha|han|es|era|fue|incluye|cubre|puede|pueden)\b"
)
_OPEN = re.compile(  # asks for advice, an opinion, a word: nothing that a document is asked for
    r"\b(?:(?:how|what|which|where|when|why|who) (?:\w+ )?"
    r"(?:should|can|could|would|shall|do|might|to)(?: i| you| we|$| \w+$)"
    r"|who would|would you|do you|are you|can you|have you|you ever|rhymes? with|synonyms?|the meaning of (?:life|the word)"
    r"|is it (?:ok|okay|healthy|rude|worth|bad|good|normal|better|true)"
    r"|(?:in|into|to) (?:english|french|spanish|german|italian)"
    r"|(?:que|como|donde|cuando|cual) (?:me |nos |te |le )?(?:puedo|podemos|debo|deberia|podria|hago|recomiendas"
    r"|aconsejas|opinas|piensas|crees|gusta|parece|regalo)|como se (?:dice|escribe|hace)|rima con|sinonimos?|eres|tienes|crees|sabes|puedes"
    r"|en (?:ingles|frances|espanol|aleman))\b"
)
_SPECIFIC = ("their", "figures", "says", "year")  # speaks of something that somebody wrote down


def is_fact(message: str) -> bool:
    """Asks for something that is so or is not: what documents are for, even where these do not hold it."""
    flat = " ".join(re.findall(r"\w+", folded(message)))
    rest = re.sub(_BEFORE, "", flat, count=1)
    return _FACT.match(flat) is not None and not _OPEN.search(rest) and not is_request(message)


def is_specific(message: str) -> bool:
    """Speaks of one firm, contract or year, and not of the world at large."""
    flat = " ".join(re.findall(r"[\w-]+", folded(message)))
    told = _PROPER.search(message) or any(_COMPILED[name].search(flat) for name in _SPECIFIC)
    return bool(told) and not _COMPILED["world"].search(flat)


def is_request(message: str) -> bool:
    """For something new, not for something known: "write a poem"."""
    flat = folded(message)
    gathers = MENTION.search(flat) and re.search(
        r"\b(?:table|list|timeline|summary|tabla|lista|cronologia|resumen)\b", flat
    )
    return _MAKE.search(" ".join(re.findall(r"\w+", flat))) is not None and not gathers


def mentions_documents(message: str) -> bool:
    """Speaks of documents as of things there are: "the contract", and not "write a contract"."""
    flat = folded(message)
    general = re.search(
        r"\b(?:what is|what s|what are|que es|que son|explain what|how do i (?:read|write|make)|como se (?:lee|escribe|redacta|hace)|what makes) (?:an?|un[oa]?) ",
        flat,
    )
    return MENTION.search(flat) is not None and not is_request(message) and not general
