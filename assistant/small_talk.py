"""In: a message. Out: whether it is nothing but small talk, and of which kind, in English or Spanish.

Small talk is what nothing is left of, phrase by phrase: "Hi, thanks!" is, "Hi, who founded it?" is not.
"""

from __future__ import annotations

import re

from assistant.history.words import folded

# As `folded` leaves them, without punctuation: "what's" is "what s". One line after the other, joined by |.
_PHRASES = r"""
hi|hiya|hello|hey|howdy|greetings|yo|good (?:morning|afternoon|evening|night|day)|welcome|nice to meet you
how are (?:you|things)(?: doing)?(?: today)?|how do you do|hows? (?:is )?it going|how is everything|what ?s up
sup|thanks?(?: you)?(?: (?:a lot|so much|very much|again|a million))?|thx|ty|cheers|many thanks|much appreciated
great|perfect|nice|cool|awesome|excellent|wonderful|amazing|lovely|ok|okay|all right|alright|got it|understood
i see|that (?:is|was) (?:all|great|perfect|helpful)|that s (?:all|great|perfect|helpful)|well done|good job
no problem|bye(?: bye)?|goodbye|see (?:you|ya)(?: (?:later|soon|tomorrow))?|take care
have a (?:nice|good|great) (?:day|one|evening|night|weekend)|who are you|what are you|what is your name
what s your name|do you have a name|tell me about yourself|introduce yourself|what (?:can|do) you do(?: for me)?
how (?:can|do) (?:you|i) (?:help|work|use|use you)(?: me| you)?|what are you for
who (?:made|created|built|trained) you|can you help(?: me)?|help|help me
are you (?:there|ok|real|human|alive|sure)|are you an? (?:human|robot|bot|ai|machine|person|computer|model)
you are (?:great|nice|helpful|funny|the best|welcome)|i (?:like|love) (?:you|it)
i am (?:fine|good|well|back|here)|sorry|please|yes|no|yeah|nope|haha+|lol|test|testing|hola|buenas
buen(?:os)? dias?|buenas (?:tardes|noches)|saludos|que tal(?: (?:estas|todo|va|te va))?
como (?:estas|esta|andas|te va|va|va todo)|(?:muchas |mil |muchisimas )?gracias(?: de nuevo)?|te lo agradezco
muy amable|genial|perfecto|estupendo|excelente|fantastico|vale|de acuerdo|entendido|claro|bien|muy bien
eso es todo|buen trabajo|bien hecho|de nada|no hay problema|encantad[oa]|mucho gusto|adios|chao
hasta (?:luego|pronto|manana|la vista)|nos vemos
que (?:tengas|pases) (?:un )?buen(?:a)? (?:dia|tarde|noche|fin de semana)|quien eres|que eres|como te llamas
cual es tu nombre|tienes nombre|hablame de ti|presentate|que (?:puedes|sabes) hacer(?: por mi)?|que haces
como (?:funcionas|te uso|me puedes ayudar|puedes ayudarme)|para que sirves|en que (?:me )?puedes ayudar(?:me)?
quien te (?:hizo|creo|ha creado|ha hecho|entreno)|(?:me )?puedes ayudar(?:me)?|me ayudas|ayuda|ayudame|estas ahi
eres (?:una? )?(?:humano|humana|robot|bot|ia|maquina|persona|real|modelo)
eres (?:genial|muy amable|util|la mejor|el mejor)|te quiero|me gusta|lo siento|perdon|por favor|si|jaja(?:ja)*
prueba|probando
"""
_FILLERS = r"""
afina|there|again|everyone|all|friend|assistant|today|now|so|very|much|really|oh|ah|well|and|then|dear|man|buddy
for (?:your|the) (?:help|time|answer|answers|patience)|for (?:everything|that|this|helping(?: me)?)
to you(?: too)?|amig[oa]|asistente|a todos|hoy|ahora|muy|pues|y|oye
por (?:tu|la|tus) (?:ayuda|tiempo|respuestas?|paciencia)|por (?:todo|eso|esto|ayudarme)
"""
_PHRASE, _FILLER = ("|".join(text.split("\n")[1:-1]) for text in (_PHRASES, _FILLERS))
_SMALL = re.compile(rf"(?:(?:{_FILLER}) )*(?:{_PHRASE}) (?:(?:{_PHRASE}|{_FILLER}) )*")
_LONGEST = 120  # characters: a longer message says something


def is_small_talk(message: str) -> bool:
    plain = " ".join(re.findall(r"\w+", folded(message)))
    if not plain:
        return not any(character.isalnum() for character in message)  # "👋", "??"
    return len(plain) <= _LONGEST and _SMALL.fullmatch(plain + " ") is not None


_ABOUT = re.compile(
    r"\b(?:who (?:are you|made|created|built|trained)|what (?:are you|can you do|do you do|is your name)"
    r"|what s your name|do you have a name|tell me about yourself|introduce yourself|are you an?|help"
    r"|how (?:can|do) (?:you|i)"
    r"|quien (?:eres|te)|que eres|como te llamas|cual es tu nombre|tienes nombre|hablame de ti|presentate|que haces"
    r"|que (?:puedes|sabes) hacer|como (?:funcionas|te uso|me puedes|puedes)|para que sirves|ayuda\w*"
    r"|eres una?)\b"
)
_SPANISH = re.compile(
    r"\b(?:hola|buen[oa]s|buen dia|saludos|que tal|gracias|adios|ayuda\w*|hasta luego|encantad[oa])\b"
)
_GREETING = re.compile(
    r"^(?:hi|hiya|hello|hey|howdy|greetings|yo|good (?:morning|afternoon|evening|day)|hola|buenas|buen(?:os)? dias?"
    r"|saludos|que tal)\b"
)


def kind_of(message: str) -> str:
    """Of small talk: "about" the assistant itself, a "greeting", or "" for anything else (thanks, goodbye, praise)."""
    plain = " ".join(re.findall(r"\w+", folded(message)))
    if _ABOUT.search(plain):
        return "about"
    return "greeting" if _GREETING.search(plain) else ""


def language_of(message: str) -> str:
    """ "es" for a Spanish greeting or thanks, which are too short to be told by their stop words; else ""."""
    plain = " ".join(re.findall(r"\w+", folded(message)))
    return "es" if _SPANISH.search(plain) else ""
