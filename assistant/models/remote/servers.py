"""In: an address. Out: the models a server has there, whatever it speaks; those of an Ollama on this machine.

The looking for an Ollama is done in a thread of its own and only on loopback: nobody waits for it, and what it has is
offered, never silently used.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assistant.errors import AssistantError, ForPerson

if TYPE_CHECKING:
    from assistant.models.remote.wire import Offered

OLLAMA = "http://127.0.0.1:11434"
AGAIN = 30.0  # seconds until it is looked for again


def address_of(text: str) -> str:
    """ "localhost:8000" → "http://localhost:8000/v1"; an address with a path keeps it. ForPerson where it is none."""
    text = text.strip().partition("#")[0]
    given = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(given)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in given and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise ForPerson(
            f"{text or 'This'} is not an address. Write it as http://host:8000/v1.",
            spanish=f"{text or 'Esto'} no es una dirección. Escríbela como http://host:8000/v1.",
        )
    path = parts.path.rstrip("/") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"


def probe(address: str, key: str | None) -> list[tuple[str, Offered]]:
    """(name to use it by, what the server says of it), or our error."""
    url = address_of(address)
    if urlsplit(url).port == 11434:
        from assistant.models.remote import ollama

        base = url.removesuffix("/v1")
        here = base in (OLLAMA, OLLAMA.replace("127.0.0.1", "localhost"))
        return [(f"ollama:{one.id}" if here else f"{base}/v1#{one.id}", one) for one in ollama.listed(base)]
    from assistant.models.remote.openai import listed

    return [(f"{url}#{one.id}", one) for one in listed(url, key)]


class Ollamas:
    """What an Ollama on this machine has."""

    def __init__(self, address: str = "") -> None:
        """`address`: where the settings say it is; one on another machine is not looked for."""
        self._address = (address if "://" in address else f"http://{address}") if address else OLLAMA
        self._offered: tuple[Offered, ...] = ()
        self._looked = -AGAIN
        self._lock = threading.Lock()
        self._done = threading.Event()

    def models(self, wait: float = 0.0) -> tuple[Offered, ...]:
        """What the last look found; starts another where that was long ago, and waits so many seconds for it."""
        if not _loopback(self._address):
            return ()
        with self._lock:
            if time.monotonic() - self._looked >= AGAIN:
                self._looked = time.monotonic()
                self._done.clear()
                threading.Thread(target=self._look, name="ollama", daemon=True).start()
        if wait:
            self._done.wait(wait)
        return self._offered

    def _look(self) -> None:
        from assistant.models.remote import ollama
        from assistant.models.remote.patience import Patience

        try:
            self._offered = tuple(ollama.listed(self._address, patience=Patience(connect=1.0, first=2.0, retries=0)))
        except AssistantError:
            self._offered = ()
        finally:
            self._done.set()


def _loopback(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
