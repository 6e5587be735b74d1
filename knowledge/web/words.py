"""In: a key and its values. Out: errors whose sentence says why the web was not reached, in English or Spanish."""

from __future__ import annotations

from knowledge.errors import ForPerson, KnowledgeError, TryAgain

_SENTENCES: dict[str, tuple[str, str]] = {
    "not_a_url": (
        "This is not a web address that can be read: give one that begins with https:// or http://.",
        "Esta no es una dirección web que se pueda leer: da una que empiece por https:// o http://.",
    ),
    "scheme": (
        "Only http and https addresses are read, not {scheme}: addresses.",
        "Solo se leen direcciones http y https, no {scheme}:.",
    ),
    "userinfo": (
        "The address carries a user name or password before an @; leave it out, so that it is clear who is asked.",
        "La dirección lleva un usuario o una contraseña antes de una @; quítalos, para que se vea a quién se pregunta.",
    ),
    "host": (
        "{host} is not a name that a web server can have. Check the address.",
        "{host} no es un nombre que pueda tener un servidor web. Revisa la dirección.",
    ),
    "private": (
        "{host} is an address of this machine or of a private network ({address}); only public ones are read.",
        "{host} es una dirección de esta máquina o de una red privada ({address}); solo se leen las públicas.",
    ),
    "port": (
        "Only the web's own ports 80 and 443 are asked, not {port}.",
        "Solo se usan los puertos de la web, 80 y 443, no el {port}.",
    ),
    "unknown_name": (
        "There is no server called {host}, or names cannot be looked up now. Check the address and the connection.",
        "No hay ningún servidor {host}, o ahora no se pueden consultar nombres. Revisa la dirección y la conexión.",
    ),
    "no_answer": (
        "{host} does not answer. Try again later, or check the address.",
        "{host} no responde. Inténtalo más tarde o revisa la dirección.",
    ),
    "slow": (
        "{host} took longer than {seconds} seconds; it was given up. Try again later.",
        "{host} tardó más de {seconds} segundos y se abandonó. Inténtalo más tarde.",
    ),
    "stopped": ("It was stopped.", "Se detuvo."),
    "certificate": (
        "The certificate of {host} is not valid for it; what comes from there cannot be trusted.",
        "El certificado de {host} no es válido; no se puede confiar en lo que venga de ahí.",
    ),
    "nonsense": (
        "{host} answers something that is not the web's language. Check the address.",
        "{host} responde algo que no es el lenguaje de la web. Revisa la dirección.",
    ),
    "cut": (
        "The answer of {host} broke off in the middle. Try again.",
        "La respuesta de {host} se cortó a la mitad. Inténtalo de nuevo.",
    ),
    "headers": (
        "{host} sends more headers than any page needs; it was given up.",
        "{host} envía más cabeceras de las que necesita una página; se abandonó.",
    ),
    "packed": (
        "{host} sends a compressed answer that cannot be unpacked here ({encoding}).",
        "{host} envía una respuesta comprimida que aquí no se puede abrir ({encoding}).",
    ),
    "too_big": (
        "What lies there is larger than {limit} MB. Download it in a browser and add it as a document.",
        "Lo que hay ahí ocupa más de {limit} MB. Descárgalo con un navegador y añádelo como documento.",
    ),
    "redirects": (
        "{host} sends from one address to the next, more than {limit} times; it was given up.",
        "{host} reenvía de una dirección a otra más de {limit} veces; se abandonó.",
    ),
    "elsewhere": (
        "{host} wants to send a request that carries a key to another server; it was not followed.",
        "{host} quiere enviar a otro servidor una petición que lleva una clave; no se siguió.",
    ),
    "not_text": (
        "What lies there is {kind}, not a page with text.",
        "Lo que hay ahí es {kind}, no una página con texto.",
    ),
    "pdf": (
        "This is a PDF. Download it and add it to the documents (afina docs add FILE), then ask about it.",
        "Es un PDF. Descárgalo y añádelo a los documentos (afina docs add ARCHIVO); después pregunta por él.",
    ),
    "empty": (
        "The page holds no text that can be read; it may need a browser to show it.",
        "La página no tiene texto que se pueda leer; quizá necesita un navegador para mostrarse.",
    ),
    "status": (
        "{host} answers that it has no such page or will not show it (status {status}). Check the address.",
        "{host} responde que no tiene esa página o que no la muestra (estado {status}). Revisa la dirección.",
    ),
    "overloaded": (
        "{host} is overloaded or refuses for now (status {status}). Try again later.",
        "{host} está saturado o se niega por ahora (estado {status}). Inténtalo más tarde.",
    ),
}


class WebError(KnowledgeError):
    """`key` names the sentence; `said("es")` is Spanish."""

    def __init__(self, key: str, **values: int | str) -> None:
        super().__init__(_SENTENCES[key][0].format(**values))
        self.key, self.values = key, values

    def said(self, language: str) -> str:
        return _SENTENCES[self.key][language == "es"].format(**self.values)


class Refused(WebError, ForPerson):  # noqa: N818 - it says what happened
    """It would be refused again: the address, or what lies there, is not for us."""


class Unreachable(WebError, TryAgain):  # noqa: N818
    """It may work later."""
