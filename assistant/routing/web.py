"""In: a message. Out: the address it names, or what it wants searched on the web. Knows nothing of routes.

"open boe.es and tell me what is new"       → https://boe.es
"busca en internet horarios del ferry"      → "horarios del ferry"
"How does the internet work?"               → neither
"""

from __future__ import annotations

import re

from assistant.history.words import folded

_TLD = "com|org|net|edu|gov|int|io|dev|app|info|news|blog|es|mx|cl|pe|uk|fr|de|it|pt|eu|us|ca|cat|tv|wiki|ar|co|br|nl|be|ch|at|ie|au|jp"
_RARE = "rs|me|ai|so|sh|to|la|ly|fm|gg|xyz|tech|site|online|is|in"  # also words or endings of files
_GO = r"\b(?:go to|open|visit|read|browse|fetch|check(?: out)?|load|see|look at|summari[sz]e|on|at|from|abre|abrir|entra en|ve a|visita|lee|leer|mira|carga|resume|en|de)\s+"
_URL = re.compile(
    r"https?://[^\s<>\"'“”«»]+|(?<![@\w.])www\.[^\s<>\"'“”«»]+"
    rf"|(?<![@\w./-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{_TLD})(?![\w@-])(?:\.(?:{_TLD}))?(?::\d+)?(?:/[^\s<>\"'“”«»]*)?"
    rf"|(?<![@\w./-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{_RARE})/[^\s<>\"'“”«»]+"
    rf"|(?:(?<=go to )|(?<=open )|(?<=visit )|(?<=abre )|(?<=entra en )|(?<=ve a )|(?<=visita ))(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{_RARE})(?![\w@-])",
    re.IGNORECASE,
)
_PLEASE = (
    r"(?:(?:hey|hi|hello|ok|okay|so|and|now|please|pls|afina|can you|could you|would you|will you|i (?:want|need|would like|d like) you to"
    r"|i (?:want|need|would like|d like) to|let s|hola|oye|y|ahora|por favor|porfa|puedes|podrias|me puedes|me podrias|quiero que|necesito que|quiero|necesito|just|go and|try to)[, ]+)*"
)
_NET = r"(?:the )?(?:web|internet|net|world wide web|google|bing|duckduckgo)"
_RED = r"(?:la |el )?(?:web|internet|red|google|bing|duckduckgo|linea)"
_SEARCHES = [
    r"(?:do |run |make |perform |start )?(?:an? |another )?(?:quick )?(?:web|internet|google|online)[ -]?search(?::| for| on| about| of)? (?P<q>.+)",
    rf"(?:do |run |make )(?:an? )?(?:quick )?search (?:on|of|in) {_NET} (?:for|about|on) (?P<q>.+)",
    rf"(?:search|browse|scour|check|look through|query|consult) (?:on |in |through )?{_NET}(?: for| about| on| and find| to find| to see)? (?P<q>.+)",
    r"(?:search|look|check|find|find out|see|go|research|browse) (?:up )?online(?: for| about| and find)?,? (?P<q>.+)",
    rf"(?:look|find out|see|find|look up|search|check|research|investigate) (?:on|in) {_NET}(?: for| about)? (?P<q>.+)",
    rf"(?:search(?: for)?|look(?: up| for)?|find(?: out| me)?|get me|research|check) (?P<q>.+?) (?:on {_NET}|online|in {_NET}|using {_NET}|with google|via google|over {_NET})",
    rf"(?:search|look|find)(?: for)?(?: me)? (?:some )?(?:information|info|articles|facts|data) (?:on|in|from) {_NET} (?:about|on|for|regarding) (?P<q>.+)",
    rf"(?:busca(?:r|me|rme)?|encuentra(?:me)?|consigue) (?:informacion|datos|articulos|info) (?:en|por) {_RED} (?:sobre|de|acerca de) (?P<q>.+)",
    r"(?:google|bing|duckduckgo)(?: for| me)?:? (?P<q>(?!(?:is|was|are|has|does|did|translate|maps)\b).+)",
    r"(?:look up) (?P<q>.+)",
    r"look (?P<q>.+) up",
    r"(?:haz(?:me)?|hacer|realiza|lanza) (?:una )?(?:busqueda|consulta) (?:rapida )?(?:web|online|en (?:la |el )?(?:web|internet|red|google|linea))(?: de| sobre| para|:)? (?P<q>.+)",
    r"busqueda (?:web|online|en (?:internet|google|la web|la red))(?: de| sobre|:)? (?P<q>.+)",
    rf"(?:busca(?:r|me|rme|nos)?|busques|mira(?:r|me)?|mires|consulta(?:r|me)?|averigua(?:r|me)?|comprueba|investiga|encuentra(?:me)?|rastrea) (?:tu )?(?:en|por) {_RED}(?: informacion)?(?: sobre| acerca de| de)? (?P<q>.+)",
    r"(?:busca(?:r|me|rme|nos)?|mira(?:r)?|consulta(?:r)?|averigua) online(?: sobre| de)? (?P<q>.+)",
    rf"(?:busca(?:r|me|rme|nos)?|busques|mira(?:r|me)?|consulta(?:r|me)?|averigua(?:r|me)?|comprueba|investiga|encuentra(?:me)?) (?P<q>.+?) (?:en {_RED}|online|por {_RED}|usando {_RED})",
    r"(?:googlea(?:r|me)?|guglea|googleame) (?P<q>.+)",
]  # fmt: skip
_MINE = re.compile(  # it is the person's own that is searched
    r"\b(?:my|our|the|these|those|mis|mi|nuestr[oa]s?|los|las|el|la) (?:uploaded |attached )?(?:documents?|files?|pdfs?|reports?|contracts?|notes|library|archivos?|documentos?|ficheros?|informes?|contratos?|apuntes|biblioteca)\b"
)
_LIVE = [  # asks for what is so today, out in the world
    r"(?:what(?: is|s| s)? |how(?: is|s| s) )?(?:the )?weather\b.*", r".*\bweather (?:forecast|report|today|tomorrow|this week(?:end)?|right now)\b.*",
    r"(?:will it|is it going to|is it) (?:rain(?:ing)?|snow(?:ing)?|sunny|be (?:sunny|cold|hot|warm|windy))\b.*",
    r"(?:do i need|should i (?:take|bring)) (?:an )?umbrella\b.*",
    r"(?:que tiempo|como (?:esta|estara) el tiempo|que temperatura)(?: va a)?(?: hace| hara| hacer| hay)\b.*", r"como (?:esta|estara) el tiempo\b.*",
    r"(?:cual es |dime )?(?:el )?(?:pronostico|prevision)(?: del tiempo| meteorologic[oa])\b.*", r"(?:va a|ira a) (?:llover|nevar|hacer (?:frio|calor|sol))\b.*", r"(?:llovera|nevara|lloviendo|esta lloviendo)\b.*",
    r"(?:give me |show me |tell me |read me |what (?:is|are|s) |whats |any )?(?:the )?(?:latest |recent |today s |breaking |current )?(?:news|headlines)(?: on| about| from| of| in| today| now| regarding)*\b.*",
    r"que (?:noticias|titulares) hay\b.*",
    r"(?:what s|what is|whats) (?:happening|going on|new|trending) (?:in|on|with) .*",
    r"(?:dame |dime |cuales son |que dicen |lee(?:me)? )?(?:hoy )?(?:las )?(?:ultimas |recientes )?(?:noticias|titulares)(?: de| sobre| del| en| hoy)*\b.*", r"(?:las )?ultim[oa]s? (?:hora|novedades)\b.*",
    r"(?:what(?: is|s| s)? |how much is |check )?(?:the )?(?:current |latest |live |today s )?(?:stock |share |spot )?(?:price|value|quote|rate)s? (?:of|for) .{2,30} (?:now|today|right now|at the moment)",
    r"(?:what(?: is|s| s)? |how much is )?(?:the )?(?:current|latest|live|today s) (?:stock |share |spot |market )?(?:price|value|quote|exchange rate|rate)s? (?:of|for|on) .{2,30}",
    r"(?:what(?: is|s| s)? )?(?:the )?(?:\w+ (?:to|/|and) \w+ )?exchange rate\b.*", r"(?:\w+ ){0,3}(?:stock|share) price(?: today| now| right now)?",
    r"(?:bitcoin|btc|ethereum|eth|gold|oil|gas|silver|brent) price(?: now| today| right now)?", r"how much is (?:a |an |1 )?(?:bitcoin|btc|ethereum|euro|dollar|pound|ounce of gold|barrel of oil)(?: worth)?(?: now| today| right now| in \w+)*",
    r"(?:cual es |dime )?(?:el )?(?:precio|valor|cotizacion|cambio)(?: actual| de hoy| hoy| en bolsa)(?: del?| de la)? .*", r"(?:cual es |dime )?(?:el |la )?(?:precio|valor|cotizacion|tipo de cambio|cambio) (?:del?|de la|entre) .{2,30} (?:hoy|ahora|actual|ahora mismo)",
    r"a (?:cuanto|como|que precio) (?:esta|cotiza|va)n?(?: hoy| ahora)?(?: el| la| las)? .*", r"(?:el )?(?:tipo de )?cambio (?:del?|entre(?: el)?) (?:dolar|euro|libra|peso|yen)\b.*", r"cuanto (?:vale|esta|cuesta) (?:hoy|ahora)(?: el| la| un)? .*", r"cuanto (?:vale|esta)(?: el| un)? (?:dolar|euro|bitcoin|oro)\b.*",
    r"\d+(?:[.,]\d+)? (?:dollars?|euros?|pounds sterling|usd|eur|gbp|yen|pesos) (?:in|to|into) (?:dollars?|euros?|pounds|usd|eur|gbp|yen|pesos|yuan)\b.*", r"\d+(?:[.,]\d+)? (?:dolares|euros|libras esterlinas|usd|eur|gbp|yenes|pesos) (?:a|en) (?:dolares|euros|libras|usd|eur|gbp|yenes|pesos)\b.*",
    r"who won (?:the |last |yesterday|today).*\b(?:game|match|race|election|last night|yesterday|today|tonight|this year|cup|league|final|grand prix)\b.*", r"(?:what (?:was|is) )?(?:the )?(?:final )?score (?:of|in) .*", r".*\blast night s (?:game|match)\b.*",
    r"(?:quien|como) (?:gano|ha ganado|va|quedo|quedaron|han quedado)\b.*\b(?:partido|carrera|ayer|anoche|hoy|liga|final|elecciones|este ano|copa|vuelta)\b.*", r"(?:cual fue )?(?:el )?resultado (?:del|de la|de las|de los|de el) (?:partido|carrera|elecciones|encuentro|madrid|barca|real|\w+ de (?:ayer|anoche|hoy)).*",
    r"(?:are|is) there (?:any |an? )?(?:\w+ )?(?:strikes?|delays?|traffic|flights?|trains?|concerts?|events?)\b.*\b(?:today|tomorrow|tonight|this week(?:end)?|right now|now)\b.*", r"hay (?:\w+ )?(?:huelga|retrasos|trafico|atascos?|vuelos|trenes|conciertos)\b.*\b(?:hoy|manana|esta (?:semana|noche)|ahora|fin de semana)\b.*",
]  # fmt: skip


_ASKING = re.compile(
    _PLEASE
    + r"(?:(?:tell me|show me|give me|get me|do you know|dime|dame|sabes|me dices|muestrame|ensename|check|find out"
    r"|find(?: me)?|search(?: for)?|look (?:for|up)|busca(?:me|r|rme)?) )*"
)
LONGEST = 300  # characters: a longer message asks for more than a search


def address(message: str) -> str:
    """The first address in the message, whole; "" where there is none. A mail address or a file's name is none."""
    found = _URL.search(message)
    if found is None:
        return ""
    url = re.sub(r"[.,;:!?¿¡'\"»”]+$", "", found[0])
    while url.endswith(")") and url.count("(") < url.count(")"):
        url = url[:-1].rstrip(".,;:!?")
    return url if re.match(r"https?://", url, re.IGNORECASE) else f"https://{url}"


def searched(message: str) -> str:
    """What is to be searched, where the message says to search the web; "" where it does not."""
    plain = _plain(message)
    if len(plain) > LONGEST or _MINE.search(plain):
        return ""
    for pattern in _SEARCHES:
        found = re.fullmatch(_PLEASE + pattern, plain)
        if found:
            return as_query(found["q"], message)
    return ""


def is_live(message: str) -> bool:
    """Asks for the weather, the news, a price, a result: what no document and no model knows."""
    plain = _plain(message)
    if len(plain) > LONGEST or _MINE.search(plain):
        return False
    rest = _asked(plain)
    return any(re.fullmatch(pattern, rest) for pattern in _LIVE)


def _asked(plain: str) -> str:
    """Without what only asks for it: "find me the news of the day" → "the news of the day"."""
    head = _ASKING.match(plain)
    return plain[head.end() :] if head else plain


def as_query(plain: str, message: str) -> str:
    """The piece of the message that `plain` was made of, without what a search needs not."""
    wanted = plain.split()
    words = re.findall(r"\S+", message)
    bare = [_plain(word) for word in words]
    for start in range(len(words)):
        got: list[str] = []
        for end in range(start, len(words)):
            got += bare[end].split()
            if got == wanted:
                return " ".join(words[start : end + 1]).strip(' ¿?¡!.,;:"“”«»')[:400]
            if got != wanted[: len(got)]:
                break
    return plain[:400]


def whole_query(message: str) -> str:
    plain = _plain(message)
    asked = _asked(plain)
    if asked and asked != plain and len(plain) <= LONGEST:
        return as_query(asked, message)
    return " ".join(message.split()).strip(" ¿?¡!.,;:")[:400]


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[\w/]+|:", folded(text).replace(":", " : "))).replace(" :", ":")
