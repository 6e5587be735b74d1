"""In: a folder, the secrets known so far. Out: afina.log in it (rotating) and warnings on stderr, every secret masked.

Messages, passages and file contents are never logged; ids, counts and seconds are.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Iterable
from logging.handlers import RotatingFileHandler
from pathlib import Path

_SHAPES = re.compile(
    r"(?P<head>(?:bearer|basic)\s+|(?:api[_-]?key|token|password|passwd|secret)[\"']?\s*[=:]\s*[\"']?|://[^/\s:@]*:)"
    r"(?P<value>[^\s\"',;&@]{3,})"
    r"|\b(?:sk|hf|gsk|ghp|tvly)[-_][A-Za-z0-9_-]{8,}|\bafina-[A-Za-z0-9_-]{40,}",
    re.IGNORECASE,
)


Secrets = Iterable[str] | Callable[[], Iterable[str]]  # asked at every line: a key may be entered while the app runs


class Masked(logging.Formatter):
    """Formats, then hides: known secrets by value, unknown ones by shape. Tracebacks pass through it too."""

    def __init__(self, form: str, secrets: Secrets = ()) -> None:
        super().__init__(form)
        fixed = () if callable(secrets) else tuple(secrets)
        self._secrets = secrets if callable(secrets) else lambda: fixed

    def format(self, record: logging.LogRecord) -> str:
        return self.mask(super().format(record))

    def mask(self, text: str) -> str:
        known = {secret for secret in self._secrets() if len(secret) >= 3}
        for secret in sorted(known, key=len, reverse=True):
            text = text.replace(secret, "***")
        return _SHAPES.sub(lambda match: f"{match['head'] or ''}***", text)


class _Short(Masked):
    """For the terminal: the sentence, and of an exception only its last line."""

    def formatException(self, ei: object) -> str:  # noqa: N802 - the standard library's name
        kind, value = ei[0], ei[1]  # type: ignore[index]
        return "".join(traceback.format_exception_only(kind, value)).strip()


def begin(folder: Path, level: str, secrets: Secrets = (), *, terminal: bool = True) -> list[logging.Handler]:
    """Send the root logger to `folder`/afina.log, and warnings to the terminal: not for a verb, whose stderr is for the
    one sentence that says why it failed. Returns what `end` closes."""
    secrets = secrets if callable(secrets) else list(secrets)
    root = logging.getLogger()
    root.setLevel(level.upper())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = RotatingFileHandler(folder / "afina.log", maxBytes=2_000_000, backupCount=3, encoding="utf-8", delay=True)
    file.setFormatter(Masked("%(asctime)s %(levelname)s %(name)s %(message)s", secrets))
    handlers: list[logging.Handler] = [file]
    if terminal or level == "debug":
        stderr = logging.StreamHandler()
        stderr.setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
        if level != "debug":  # the server's own complaints are tracebacks
            stderr.addFilter(lambda record: not record.name.startswith("uvicorn"))
        stderr.setFormatter(_Short("%(levelname)s %(message)s", secrets))
        handlers.append(stderr)
    for handler in handlers:
        root.addHandler(handler)
    for chatty in (
        "httpx",
        "httpcore",
        "uvicorn.access",
        "urllib3",
        "chromadb",
        "asyncio",
        "filelock",
        "alembic",
        "uvicorn.error",
    ):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    return handlers


def end(handlers: Iterable[logging.Handler]) -> None:
    root = logging.getLogger()
    for handler in handlers:
        root.removeHandler(handler)
        handler.close()
