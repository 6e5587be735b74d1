"""In: secrets of the environment, a data folder. Out: each provider's secret, and a list in which none can be read.

    home/keys.json   {"format": "afina-keys/1", "keys": {"openai": "sk-…", "http://host:8000/v1": "…"}}, mode 600

What the environment says wins over what the page stored. A provider is a name of PROVIDERS, or a server's address; a
server without a key of its own gets the one of "http". Reads no environment itself; knows no vendor.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.errors import ForOperator, ForPerson

PROVIDERS: Mapping[str, str] = {  # name → the environment's variable, for whoever wants to set it there
    "openai": "OPENAI_API_KEY",
    "vertex": "GEMINI_API_KEY",
    "http": "AFINA_SERVER_API_KEY",
    "hf": "HF_TOKEN",
    "brave": "BRAVE_API_KEY",
    "tavily": "TAVILY_API_KEY",
}
LONGEST = 8_192  # characters; a short-lived Google token has some 1,000
_HEAD = re.compile(r"[A-Za-z]{2,5}[-_]")  # "sk-", "hf_", "tvly-": says whose key it is, and nothing else


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    format: Literal["afina-keys/1"]
    keys: dict[str, str]


class Keys:
    """Safe from any thread. `get` is all that a provider needs: a plain dict does as well."""

    def __init__(self, home: Path, environment: Mapping[str, str] | None = None) -> None:
        """`environment`: provider → secret, as the settings found them. Nothing is read before it is asked for."""
        self._file = home / "keys.json"
        self._environment = {_provider(name): secret for name, secret in (environment or {}).items() if secret}
        self._stored: dict[str, str] | None = None
        self._seen = set(self._environment.values())  # also what was replaced: a log may still meet it
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        rows = self._rows(self._stored or {})
        return f"Keys({', '.join('='.join((row['provider'], row['masked'])) for row in rows)})"

    def get(self, provider: str, default: str | None = None) -> str | None:
        """The secret; for a server's address its own, else the one of "http"."""
        name = _provider(provider)
        if name in self._environment:
            return self._environment[name]
        with self._lock:
            stored = self._read()
        if name in stored:
            return stored[name]
        return self.get("http", default) if "://" in name else default

    def set(self, provider: str, secret: str) -> None:
        """Kept in the file from now on. ForPerson where it is no key, or the environment's would win anyway."""
        name = _known(provider)
        self._refuse_environment(name)
        secret = _sound(secret)
        with self._lock:
            self._write({**self._read(), name: secret})
            self._seen.add(secret)

    def forget(self, provider: str) -> None:
        name = _provider(provider)
        self._refuse_environment(name)
        with self._lock:
            stored = self._read()
            if name in stored:
                self._write({other: secret for other, secret in stored.items() if other != name})

    def listed(self) -> list[dict[str, str]]:
        """[{"provider": "openai", "source": "environment" | "page", "masked": "sk-…4f2a"}], those that have a key."""
        with self._lock:
            return self._rows(self._read())

    def secrets(self) -> list[str]:
        """Every secret this process has met: what a log must never show. Reads nothing, so that a log may ask."""
        return list(self._seen)

    def _rows(self, stored: Mapping[str, str]) -> list[dict[str, str]]:
        sources = {**dict.fromkeys(stored, "page"), **dict.fromkeys(self._environment, "environment")}
        secrets = {**stored, **self._environment}
        return [
            {"provider": name, "source": sources[name], "masked": masked(secrets[name])} for name in sorted(sources)
        ]

    def _refuse_environment(self, name: str) -> None:
        if name in self._environment:
            variable = PROVIDERS.get(name, PROVIDERS["http"])
            raise ForPerson(
                f"The key for {name} comes from the environment ({variable}), which wins: change it there.",
                spanish=f"La clave de {name} viene del entorno ({variable}), que prevalece: cámbiala allí.",
            )

    # ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self) -> dict[str, str]:
        """One process owns the folder, so that it is read once."""
        if self._stored is None:
            self._stored = _read(self._file)
            self._seen.update(self._stored.values())
        return self._stored

    def _write(self, keys: dict[str, str]) -> None:
        _write(self._file, {"format": "afina-keys/1", "keys": keys})
        self._stored = keys


def masked(secret: str) -> str:
    """ "sk-…4f2a": whose it is and its last four characters; of a short one nothing, four would be too much of it."""
    if len(secret) < 16:
        return "…"
    head = _HEAD.match(secret)
    return f"{head.group() if head else ''}…{secret[-4:]}"


def _provider(name: str) -> str:
    """One spelling per server: "HTTP://Host:8000/v1/#model" → "http://host:8000/v1"."""
    if "://" not in name:
        return name
    try:
        parts = urlsplit(name)
        return f"{parts.scheme.lower()}://{parts.netloc.rpartition('@')[2].lower()}{parts.path.rstrip('/')}"
    except ValueError:
        return name


def _known(name: str) -> str:
    name = _provider(name)
    address = name.startswith(("http://", "https://")) and bool(name.partition("://")[2])
    if name not in PROVIDERS and not address:
        known = ", ".join(PROVIDERS)
        raise ForPerson(
            f"There is no provider called {name}. Known: {known}, or a server's address (http://host:8000/v1).",
            spanish=f"No hay un proveedor {name}. Se conocen: {known}, o la dirección de un servidor "
            "(http://host:8000/v1).",
        )
    return name


def _sound(secret: str) -> str:
    """A key stands in a header: one line, no spaces, plain letters."""
    secret = secret.strip()
    if not secret or len(secret) > LONGEST or not re.fullmatch(r"[!-~]+", secret):
        raise ForPerson(
            "This is not a key: it is empty, too long, or has spaces or letters that no key has. Copy it again, whole.",
            spanish="Esto no es una clave: está vacía, es demasiado larga o tiene espacios o letras que ninguna clave "
            "tiene. Cópiala de nuevo, entera.",
        )
    return secret


def _read(file: Path) -> dict[str, str]:
    try:
        with open(os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as opened:
            _ours_alone(file, opened.fileno())
            return _File.model_validate_json(opened.read(1_000_000)).keys
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _cannot("read", "leer", file, error) from None
    except ValidationError:  # which would show what it could not read
        raise ForOperator(
            f"The file with the keys, {file}, is damaged. Remove it and enter the keys again.",
            spanish=f"El archivo de las claves, {file}, está dañado. Bórralo y escribe las claves de nuevo.",
        ) from None


def _ours_alone(file: Path, opened: int) -> None:
    """Mended where it can be; a file that others go on reading keeps no secret."""
    if sys.platform == "win32" or not os.fstat(opened).st_mode & 0o077:
        return
    with contextlib.suppress(OSError):
        os.fchmod(opened, 0o600)
    if os.fstat(opened).st_mode & 0o077:
        mode = stat.filemode(os.fstat(opened).st_mode)
        raise ForOperator(
            f"Others can read the keys in {file} ({mode}), and that cannot be changed from here. Run: chmod 600 {file}",
            spanish=f"Otros pueden leer las claves de {file} ({mode}) y eso no se puede cambiar desde aquí. "
            f"Ejecuta: chmod 600 {file}",
        )


def _write(file: Path, content: dict[str, Any]) -> None:
    """Whole or not at all: beside it, mode 600 from its first byte, then moved."""
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            json.dump(content, opened, indent=1)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(beside, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise _cannot("written", "escribir", file, error) from None


def _cannot(done: str, hecho: str, file: Path, error: OSError) -> ForOperator:
    reason = error.strerror or str(error)
    return ForOperator(
        f"The file with the keys, {file}, cannot be {done} ({reason}). Mend its permissions, or remove it.",
        spanish=f"No se puede {hecho} el archivo de las claves, {file} ({reason}). Corrige sus permisos o bórralo.",
    )
