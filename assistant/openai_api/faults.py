"""In: what is wrong with a request, in two languages. Out: OpenAI's error object and its status.

{"error": {"message": "There is no persona called x. …", "type": "invalid_request_error", "param": "model",
           "code": "model_not_found"}}
"""

from __future__ import annotations

from typing import Any

from assistant.errors import ForPerson
from assistant.sentences import speaker

say = speaker(
    {
        "off": (
            "This way in is closed until a key is made: run `afina api key new` and use that key.",
            "Esta entrada está cerrada hasta que haya una clave: ejecuta `afina api key new` y usa esa clave.",
        ),
        "key": (
            "The key is missing or not the app's: send `Authorization: Bearer` with the key that `afina api key new` "
            "showed, or make a new one.",
            "Falta la clave o no es la de la aplicación: envía `Authorization: Bearer` con la clave que mostró "
            "`afina api key new`, o crea otra.",
        ),
        "nothing": (
            "There is nothing at {path}: GET /v1/models, GET /v1/models/ID and POST /v1/chat/completions are.",
            "No hay nada en {path}: hay GET /v1/models, GET /v1/models/ID y POST /v1/chat/completions.",
        ),
        "method": ("{path} is asked with {method}.", "{path} se pide con {method}."),
        "model": (
            "There is no persona called {model}. There are: {known}.",
            "No hay ningún personaje llamado {model}. Hay: {known}.",
        ),
        "json": (
            "The body is not one JSON object. Send it as application/json.",
            "El cuerpo no es un objeto JSON. Envíalo como application/json.",
        ),
        "half": (
            "A text of the request holds half of a character, perhaps an emoji that was cut: send it whole.",
            "Un texto de la petición contiene medio carácter, quizá un emoji cortado: envíalo entero o quítalo.",
        ),
        "large": (
            "The request is larger than {limit} MB: send fewer or shorter messages.",
            "La petición ocupa más de {limit} MB: envía menos mensajes o más cortos.",
        ),
        "value": ("{param}: {problem}.", "{param}: {problema}."),
        "one": ("Only one answer is given: leave `n` out.", "Solo se da una respuesta: quita `n`."),
        "unsupported": (
            "`{param}` cannot be honoured here, and the answer would not be what was asked for: leave it out.",
            "`{param}` no se puede cumplir aquí y la respuesta no sería la pedida: quítalo.",
        ),
        "no_messages": (
            "`messages` must end with a message of the user that has text.",
            "`messages` debe acabar con un mensaje del usuario que tenga texto.",
        ),
        "role": (
            "A message of the role {role} cannot be read: use system, developer, user or assistant.",
            "No se puede leer un mensaje con el papel {role}: usa system, developer, user o assistant.",
        ),
        "part": (
            "Only text can be read, not {kind}: leave that part out, or add the file to the documents.",
            "Solo se puede leer texto, no {kind}: quita esa parte o añade el archivo a los documentos.",
        ),
        "busy": (
            "{limit} answers are being written already: try again in a moment.",
            "Ya se están escribiendo {limit} respuestas: inténtalo dentro de un momento.",
        ),
        "loading": ("The model is still loading: try again in a moment.", "El modelo aún se carga: espera un momento."),
        "bug": (
            "Something went wrong in the app; its log has the details.",
            "Algo falló en la aplicación; los detalles están en su registro.",
        ),
    }
)

_TYPES = {401: "authentication_error", 429: "rate_limit_error", 500: "server_error", 503: "server_error"}


class Fault(ForPerson):
    """A request that gets an error for an answer."""

    def __init__(self, status: int, key: str, *, code: str = "", param: str = "", **values: object) -> None:
        values = {"param": param, **values}
        super().__init__(say(key, "en", **values), spanish=say(key, "es", **values))
        self.status, self.code, self.param = status, code, param


def body(fault: Fault, language: str) -> dict[str, Any]:
    return of(fault.said(language), fault.status, fault.code, fault.param)


def of(message: str, status: int, code: str = "", param: str = "") -> dict[str, Any]:
    kind = _TYPES.get(status, "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": param or None, "code": code or None}}
