"""In: what went wrong at a model on another machine. Out: one of our errors, in English and Spanish: what happened and
what to do. The one table of such sentences, for every provider. Knows no vendor.

    Where("gpt-4o", "https://api.openai.com/v1").fault("limit")   → TryAgain, to be raised
    Where(…).refusal(429, "Rate limit reached", retry_after=3600) → the same, from an HTTP status

Every sentence says who (the model and its address) and never holds a key: neither the one we sent nor what looks so.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from assistant.errors import AssistantError, ForOperator, ForPerson, TryAgain

ITS_KEY = "its key"
SAID = 300  # characters of the server's own sentence

# kind → (who acts, English, Spanish). {where} is "The model m at http://…".
_TABLE: dict[str, tuple[type[AssistantError], str, str]] = {
    # no connection
    "refused": (
        ForOperator,
        "{where} cannot be reached: nothing answers there. Start the server, or check the address.",
        "No se puede llegar a {donde}: ahí no responde nadie. Arranca el servidor o revisa la dirección.",
    ),
    "unreachable": (
        ForOperator,
        "{where} cannot be reached ({reason}). Check the network, the address and that the server runs.",
        "No se puede llegar a {donde} ({reason}). Revisa la red, la dirección y que el servidor esté en marcha.",
    ),
    "slow_connect": (
        TryAgain,
        "{where} cannot be reached: no connection within {seconds} seconds. Check the network and the address, then "
        "try again.",
        "No se puede llegar a {donde}: no hubo conexión en {seconds} segundos. Revisa la red y la dirección y "
        "reinténtalo.",
    ),
    "no_such_name": (
        ForOperator,
        "{where} cannot be reached: no machine of that name is known. Check the address and the network.",
        "No se puede llegar a {donde}: no se conoce ninguna máquina con ese nombre. Revisa la dirección y la red.",
    ),
    "no_address": (
        ForOperator,
        "{where} cannot be reached: the address is not complete. Write it as http://host:port/v1#model.",
        "No se puede llegar a {donde}: la dirección no está completa. Escríbela como http://host:puerto/v1#modelo.",
    ),
    "certificate": (
        ForOperator,
        "{where} showed a certificate that is not trusted ({reason}), so nothing was sent. Check the address, or name "
        "the certificate's authority in SSL_CERT_FILE.",
        "{Donde} mostró un certificado que no es de confianza ({reason}) y no se envió nada. Revisa la dirección o "
        "indica la autoridad del certificado en SSL_CERT_FILE.",
    ),
    "tls": (
        ForOperator,
        "{where} does not speak https, so nothing was sent. If that server is plain http, write the address with "
        "http://.",
        "{Donde} no habla https y no se envió nada. Si ese servidor es http, escribe la dirección con http://.",
    ),
    "not_http": (
        ForOperator,
        "{where} does not speak http. Check the port, and whether the address has to begin with https://.",
        "{Donde} no habla http. Revisa el puerto y si la dirección debe empezar por https://.",
    ),
    "proxy": (
        ForOperator,
        "{where} cannot be reached: the network's proxy refused ({reason}). Check the proxy's settings.",
        "No se puede llegar a {donde}: el proxy de la red lo rechazó ({reason}). Revisa la configuración del proxy.",
    ),
    "hung_up": (
        TryAgain,
        "{where} hung up before it answered. Try again; if it stays, look into that server's log.",
        "{Donde} cortó antes de responder. Reinténtalo y, si se repite, mira el registro de ese servidor.",
    ),
    # silence, and answers that are none
    "silent_first": (
        TryAgain,
        "{where} wrote nothing for {seconds} seconds, so the request was given up. Try again, or choose another model.",
        "{Donde} no escribió nada en {seconds} segundos y se dejó de esperar. Reinténtalo o elige otro modelo.",
    ),
    "silent_between": (
        TryAgain,
        "{where} stopped writing for {seconds} seconds, so the answer ends here; what came is kept. Try again.",
        "{Donde} dejó de escribir durante {seconds} segundos y la respuesta acaba aquí; lo recibido se guarda. "
        "Reinténtalo.",
    ),
    "cut": (
        TryAgain,
        "The answer of {the_model} was cut off; what came is kept. Try again.",
        "La respuesta de {donde} se cortó; lo recibido se guarda. Reinténtalo.",
    ),
    "cut_before": (
        TryAgain,
        "The answer of {the_model} was cut off before its first word. Try again.",
        "La respuesta de {donde} se cortó antes de la primera palabra. Reinténtalo.",
    ),
    "empty": (
        TryAgain,
        "{where} answered with nothing. Try again, or ask in other words.",
        "{Donde} respondió sin decir nada. Reinténtalo o pregúntalo de otra manera.",
    ),
    "spent": (
        ForPerson,
        "{where} used up all its tokens before it wrote a word. Raise the maximum tokens, then ask again.",
        "{Donde} gastó todos sus tokens antes de escribir una palabra. Sube el máximo de tokens y pregunta otra vez.",
    ),
    "garbled": (
        TryAgain,
        "{where} sent something that cannot be read; what came before is kept. Try again; if it stays, check that the "
        "address speaks this protocol.",
        "{Donde} envió algo que no se puede leer; lo anterior se guarda. Reinténtalo y, si se repite, comprueba que la "
        "dirección hable este protocolo.",
    ),
    "endless": (
        TryAgain,
        "{where} sent {megabytes} MB without a word, so it was given up. Try again, or choose another model.",
        "{Donde} envió {megabytes} MB sin una palabra y se dejó de escuchar. Reinténtalo o elige otro modelo.",
    ),
    "page": (
        ForOperator,
        "{where} answered with a web page{title} instead of an answer. Check the address (it often ends in /v1), and "
        "whether a sign-in page stands in between.",
        "{Donde} respondió con una página web{title} en vez de una respuesta. Revisa la dirección (suele acabar en "
        "/v1) y si hay una página de acceso de por medio.",
    ),
    "moved": (
        ForOperator,
        "{where} has moved to {location}. Write that address; nothing is sent on by itself, so that no key is.",
        "{Donde} se ha mudado a {location}. Escribe esa dirección; nada se reenvía solo, para no enviar la clave.",
    ),
    "not_streamed": (
        ForOperator,
        "{where} does not stream its answer as asked: {said} Check the address and the server's version.",
        "{Donde} no envía la respuesta por partes como se le pidió: {said} Revisa la dirección y la versión del "
        "servidor.",
    ),
    # refusals
    "key": (
        ForOperator,
        "{where} refused the key. Check {key} and what it may use.",
        "{Donde} rechazó la clave. Revisa {clave} y lo que permite usar.",
    ),
    "no_key": (
        ForOperator,
        "{where} wants a key, and none was sent. Enter it on the models page under Keys, or set AFINA_SERVER_API_KEY.",
        "{Donde} pide una clave y no se envió ninguna. Escríbela en la página de modelos, en Claves, o pon "
        "AFINA_SERVER_API_KEY.",
    ),
    "no_model": (
        ForOperator,
        "{where} does not exist there. Check the address and the model's name.",
        "{Donde} no existe ahí. Revisa la dirección y el nombre del modelo.",
    ),
    "no_list": (
        ForOperator,
        "{where} has no list of models. Check the address: it often ends in /v1.",
        "{Donde} no tiene una lista de modelos. Revisa la dirección: suele acabar en /v1.",
    ),
    "no_credit": (
        ForOperator,
        "{where} has no credit left on its account. Check the plan and the billing there, or choose another model.",
        "{Donde} no tiene crédito en su cuenta. Revisa allí el plan y la facturación o elige otro modelo.",
    ),
    "limit": (
        TryAgain,
        "{where} is over its limit. Wait a moment and try again, or check the account's quota.",
        "{Donde} superó su límite. Espera un momento y reinténtalo, o revisa la cuota de la cuenta.",
    ),
    "limit_until": (
        TryAgain,
        "{where} is over its limit and asks to wait {wait}. Try again then, or choose another model.",
        "{Donde} superó su límite y pide esperar {espera}. Reinténtalo entonces o elige otro modelo.",
    ),
    "overloaded": (
        TryAgain,
        "{where} is overloaded or still loading. Wait a moment and try again, or choose another model.",
        "{Donde} está saturado o aún cargando. Espera un momento y reinténtalo, o elige otro modelo.",
    ),
    "failed": (
        TryAgain,
        "{where} failed: {said} Try again; if it stays, look into that server's log.",
        "{Donde} falló: {said} Reinténtalo y, si se repite, mira el registro de ese servidor.",
    ),
    "too_long": (
        ForPerson,
        "This is longer than {the_model} can read. Shorten the message, start a new conversation, choose fewer "
        "documents, or choose a model that reads more.",
        "Esto es más largo de lo que puede leer {donde}. Acorta el mensaje, empieza otra conversación, elige menos "
        "documentos o un modelo que lea más.",
    ),
    "half": (
        ForPerson,
        "Nothing was sent to {the_model}: a text holds half of a character, perhaps an emoji that was cut. Write that "
        "place again.",
        "No se envió nada a {donde}: un texto contiene medio carácter, quizá un emoji cortado. Escribe de nuevo ese "
        "trozo.",
    ),
    "filtered": (
        ForPerson,
        "The content filter of {the_model} stopped the answer; what came is kept. Ask in other words.",
        "El filtro de contenido de {donde} detuvo la respuesta; lo recibido se guarda. Pregúntalo de otra manera.",
    ),
    "no_tools": (
        ForOperator,
        "{where} cannot call tools: {said} Choose a model that can, or turn tool calling on at that server.",
        "{Donde} no puede llamar herramientas: {said} Elige un modelo que pueda o actívalo en ese servidor.",
    ),
    "bad_request": (
        ForPerson,
        "{where} refused the request: {said} Change the question or the settings, then ask again.",
        "{Donde} rechazó la petición: {said} Cambia la pregunta o los ajustes y pregunta otra vez.",
    ),
}

_LONG = re.compile(
    r"context.?(length|window|size)|exceed_context|maximum.{0,20}(context|tokens)|prompt is too long|too many tokens"
    r"|input (length|token).{0,40}exceed|exceeds? the (maximum|context|limit).{0,30}token",
    re.IGNORECASE,
)
_FILTER = re.compile(r"content.?(filter|policy|management)|safety system|responsible.?ai", re.IGNORECASE)
_TOOLS = re.compile(
    r"(not|n't) support (tools|function)|enable-auto-tool-choice|--jinja|tool.?call.{0,20}not supported", re.I
)
_SECRET = re.compile(r"\b(sk|pk|rk|AIza|ya29|hf|gsk|xai)[-_.]?[\w.*-]{8,}|(?i:bearer)\s+\S+")


class Trouble(Exception):  # noqa: N818 - not an error for people yet: it does not know whose model it was
    """What happened on the wire: a key of the table above, or "stopped". `free`: surely nothing was taken or paid."""

    def __init__(self, kind: str, *, free: bool = False, **values: object) -> None:
        super().__init__(kind)
        self.kind, self.free, self.values = kind, free, values


@dataclass(frozen=True, slots=True)
class Where:
    """Which model ("": the server as such), at which address, and what to call its key. Makes the errors that name
    them."""

    model: str
    address: str
    key: str = ITS_KEY  # OPENAI_API_KEY, …
    secret: str = field(default="", repr=False)

    def fault(self, kind: str, **values: object) -> AssistantError:
        error, english, spanish = _TABLE[kind]
        place = _bare(self.address)
        words: dict[str, object] = {
            "where": f"The model {self.model} at {place}" if self.model else f"The server at {place}",
            "the_model": f"the model {self.model} at {place}" if self.model else f"the server at {place}",
            "donde": f"el modelo {self.model} en {place}" if self.model else f"el servidor en {place}",
            "Donde": f"El modelo {self.model} en {place}" if self.model else f"El servidor en {place}",
            "key": self.key,
            "clave": "su clave" if self.key == ITS_KEY else self.key,
        }
        words |= {name: self._plain(str(value)) for name, value in values.items()}
        return error(english.format(**words), spanish=spanish.format(**words))

    def trouble(self, trouble: Trouble, words: bool = False) -> AssistantError:
        """`words`: the model had written something."""
        kind, values = trouble.kind, dict(trouble.values)
        if kind == "cut" and not words:
            kind = "cut_before"
        if kind == "page":
            values["title"] = f" (“{values['title']}”)" if values["title"] else ""
        if kind == "not_streamed":
            said = _said(str(values["body"]))
            return self.refusal(400, said) if _known(said) else self.fault(kind, said=sentence(said))
        return self.fault(kind, **values)

    def unsendable(self, error: UnicodeEncodeError) -> AssistantError:
        """A body takes all but half a character; a header plain letters only, and of those the key is a person's."""
        return self.fault("half" if error.encoding.replace("-", "") == "utf8" else "key")

    def refusal(self, status: int, said: str, code: str = "", retry_after: float | None = None) -> AssistantError:
        """From an HTTP status (0: none, the error came inside a stream) and what the server said."""
        if kind := _known(f"{code} {said}"):
            return self.fault(kind, said=sentence(said))
        match status:
            case 401 if self.key == ITS_KEY and not self.secret:
                return self.fault("no_key")
            case 401 | 403:
                return self.fault("key")
            case 404 | 410:
                return self.fault("no_model" if self.model else "no_list")
            case 402:
                return self.fault("no_credit")
            case 429:
                if retry_after:
                    return self.fault("limit_until", wait=_wait(retry_after)[0], espera=_wait(retry_after)[1])
                return self.fault("limit")
            case 413:
                return self.fault("too_long")
            case 503 | 529:
                return self.fault("overloaded")
            case _ if 400 <= status < 500 and status != 408:
                return self.fault("bad_request", said=sentence(said))
            case _:
                return self.fault("failed", said=sentence(said or f"status {status}"))

    def _plain(self, text: str) -> str:
        if self.secret:
            text = text.replace(self.secret, "•••")
        return _SECRET.sub("•••", text)


def said_in(body: Any) -> tuple[str, str]:
    """The server's own sentence and its code, from the shapes that servers use."""
    while isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return str(body or ""), ""
    error = body.get("error", body)
    if isinstance(error, dict):
        said = error.get("message") or error.get("detail") or error.get("msg") or ""
        code = error.get("code") or error.get("type") or error.get("status") or ""
        return (said if isinstance(said, str) else said_in(said)[0]), str(code)
    return str(error), ""


def sentence(said: str) -> str:
    """At most a line of it, ended with a full stop."""
    text = _said(said)
    line = (text.strip().splitlines() or ["no reason given"])[0].strip()[:SAID]
    return "a web page." if line.lower().startswith(("<!doctype", "<html", "<head")) else line.rstrip(".") + "."


def _said(text: str) -> str:
    try:
        body = json.loads(text)
    except ValueError:
        return text
    return said_in(body)[0] or text


def _known(said: str) -> str:
    """Kinds that a server tells in words, whatever the status."""
    if "insufficient_quota" in said:
        return "no_credit"
    if _LONG.search(said):
        return "too_long"
    if _FILTER.search(said):
        return "filtered"
    return "no_tools" if _TOOLS.search(said) else ""


def _wait(seconds: float) -> tuple[str, str]:
    """Rounded up: who waits as long as is said has waited long enough."""
    if seconds <= 1:
        return "1 second", "1 segundo"
    if seconds < 90:
        return f"{math.ceil(seconds)} seconds", f"{math.ceil(seconds)} segundos"
    if seconds > 86_400:
        return "more than a day", "más de un día"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes", f"{seconds / 60:.0f} minutos"
    return f"{seconds / 3600:.0f} hours", f"{seconds / 3600:.0f} horas"


def _bare(address: str) -> str:
    """Without a name and password, and without what follows ? or #."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")) if parts.scheme else address
