"""In: a verb's name and JSON arguments. Out: its rows, the same whether the running app or this process does the work.

The data folder decides: owned by a running app, the verb goes there over loopback (owner.json has address and token);
owned by nobody, this process takes the folder for as long as the verb runs.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import assistant.errors as ours
from assistant.service import logs
from assistant.service.lock import HomeLock, Owned, Owner, owner_of
from assistant.service.parts import Parts
from assistant.service.settings import Settings
from assistant.service.verbs import BadArguments, Row, prepare

CONNECT = 5.0  # seconds
ANSWER = 10.0  # seconds to the first line; importing a model may keep the app busy for some of them
SILENCE = 30.0  # seconds without a row or a sign of life; the app sends one every two
STARTING = 20.0  # seconds an app that has the folder may take until it listens
BUSY = 5.0  # seconds to wait for another command to be done with the folder

_open_here: dict[Path, Parts] = {}  # data folder → the parts of the verb that runs on it in this process


def call(
    settings: Settings,
    name: str,
    arguments: Mapping[str, Any],
    stop: threading.Event,
    language: str = "en",
    make: Callable[[Settings], Parts] = Parts,
) -> Iterator[Row]:
    """Raises what the verb raises: a KnowledgeError or AssistantError with a sentence, BadArguments among them."""
    if (parts := _open_here.get(settings.home)) is not None:  # one verb within another: an approval while it asks
        yield from prepare(parts, name, arguments, stop, language)()
        return
    began = time.monotonic()
    while True:
        try:
            owner = owner_of(settings.home)
            if owner is None:
                lock = HomeLock(settings.home, name.replace(".", " ")).acquire()
                break
        except Owned as error:  # somebody was quicker, or has not said yet who they are
            owner, refused = error.owner, error
        else:
            refused = Owned(settings.home, owner)
        if owner is not None and owner.address is not None:
            yield from _there(owner, name, arguments, language)
            return
        patience = STARTING if owner is not None and owner.command == "serve" else BUSY
        if time.monotonic() - began > patience or stop.is_set():
            raise refused
        time.sleep(0.1)
    with lock:
        yield from _here(make(settings), name, arguments, stop, language)


def _here(made: Parts, name: str, arguments: Mapping[str, Any], stop: threading.Event, language: str) -> Iterator[Row]:
    settings = made.settings
    handlers = logs.begin(settings.home / "log", settings.log, made.secrets, terminal=False)
    try:
        with closing(made) as parts:
            _open_here[settings.home] = parts
            yield from prepare(parts, name, arguments, stop, language)()
    finally:
        _open_here.pop(settings.home, None)
        logs.end(handlers)


def _there(owner: Owner, name: str, arguments: Mapping[str, Any], language: str) -> Iterator[Row]:
    """Closing this generator closes the connection, and that stops the verb in the app."""
    assert owner.host is not None
    assert owner.port is not None
    mute = ours.TryAgain(
        f"The app (process {owner.pid}, {owner.address}) owns the data folder but does not answer. "
        "Wait a moment, or stop that process and repeat the command.",
        spanish=f"La aplicación (proceso {owner.pid}, {owner.address}) tiene la carpeta de datos, pero no responde. "
        "Espere un momento, o detenga ese proceso y repita la orden.",
    )
    connection = http.client.HTTPConnection(owner.host, owner.port, timeout=CONNECT)
    try:
        connection.connect()
        connection.sock.settimeout(ANSWER)
        headers = {
            "Authorization": f"Bearer {owner.token}",
            "Content-Type": "application/json",
            "Accept-Language": language,
        }
        connection.request("POST", f"/verbs/{name}", json.dumps(arguments).encode(), headers)
        response = connection.getresponse()
        if response.status != 200:
            raise _refusal(response)
        connection.sock.settimeout(SILENCE)
        yield from _rows(response, owner)
    except (OSError, http.client.HTTPException):
        raise mute from None
    finally:
        connection.close()


def _rows(response: http.client.HTTPResponse, owner: Owner) -> Iterator[Row]:
    for line in response:
        if not line.strip():
            continue
        message: dict[str, Any] = json.loads(line)
        if "row" in message:
            yield message["row"]
        elif "error" in message:
            raise _error(message["error"])
        else:
            return
    raise ours.TryAgain(
        f"The app (process {owner.pid}) went away before this was done. Start it again and repeat the command.",
        spanish=f"La aplicación (proceso {owner.pid}) se cerró antes de terminar. Ábrala de nuevo y repita la orden.",
    )


def _refusal(response: http.client.HTTPResponse) -> Exception:
    text = response.read(64 * 1024).decode("utf-8", "replace")
    try:
        return _error(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return ours.ForOperator(f"The running app refused the command ({response.status}): {text[:200]}")


def _error(error: Mapping[str, str]) -> Exception:
    kinds: dict[str, Callable[[str], Exception]] = {
        "ForPerson": ours.ForPerson,
        "ForOperator": ours.ForOperator,
        "TryAgain": ours.TryAgain,
        "BadArguments": BadArguments,
    }
    return kinds.get(error["kind"], ours.ForOperator)(error["message"])
