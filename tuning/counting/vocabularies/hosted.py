"""In: the name of an OpenAI model. Out: a counter with its published vocabulary, where that is on this machine.

tiktoken fetches a vocabulary the first time it is asked for, without a limit of time, and keeps it by the SHA-1 of its
address; here it is only asked once the file lies there with the bytes that are expected. `fetch` brings one: a public
file, of which nobody can tell what it is counted for.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from assistant.history.words import whole
from tuning.counting.tokens import Piece, Rule, Template, laid
from tuning.errors import ForOperator, TryAgain

PLACE = "https://openaipublic.blob.core.windows.net/encodings"
_LARGEST = 16_000_000  # bytes; the larger of the two has 3.6 million
_MARKS = ("<|im_start|>", "<|im_sep|>", "<|im_end|>")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    name: str
    sha256: str
    address: str

    @property
    def file(self) -> Path:
        """Where tiktoken looks for it."""
        folder = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
        kept = Path(folder) if folder else Path(tempfile.gettempdir()) / "data-gym-cache"
        return kept / hashlib.sha1(self.address.encode(), usedforsecurity=False).hexdigest()

    @property
    def here(self) -> bool:
        try:
            stat = self.file.stat()
        except OSError:
            return False
        return stat.st_size <= _LARGEST and _sum(self.file, stat.st_mtime_ns) == self.sha256


_ALL = {
    one.name: one
    for one in (
        Vocabulary(
            "cl100k_base",
            "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
            f"{PLACE}/cl100k_base.tiktoken",
        ),
        Vocabulary(
            "o200k_base",
            "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
            f"{PLACE}/o200k_base.tiktoken",
        ),
    )
}


class HostedCounter:
    rule = Rule.OWN
    template = Template("counted", special=_MARKS, names={})

    def __init__(self, model: str, encoding: Any) -> None:
        """`encoding`: a `tiktoken.Encoding`."""
        self.model, self._encoding = model, encoding

    def count(self, text: str) -> int:
        return len(self._encoding.encode_ordinary(whole(text)))

    def pieces(self, text: str) -> list[Piece]:
        """A mark written in a text is text to this provider."""
        text = whole(text)
        ids = self._encoding.encode_ordinary(text)
        return laid(text, ids, [self._encoding.decode_single_token_bytes(number) for number in ids])

    def note(self, language: str) -> str:
        return ""


def vocabulary(model: str) -> Vocabulary | None:
    """Of "gpt-4o-mini-2024-07-18"; None of one that tiktoken does not know."""
    import tiktoken

    try:
        return _ALL.get(tiktoken.encoding_name_for_model(model))
    except KeyError:
        return None


def counter(name: str, wanted: Vocabulary) -> HostedCounter:
    """`wanted` is here."""
    import tiktoken

    return HostedCounter(name, tiktoken.get_encoding(wanted.name))


def fetch(
    wanted: Vocabulary, stop: threading.Event | None = None, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Bring it here; `progress`: bytes so far. TryAgain where it cannot be reached, ForOperator where it cannot be
    kept. Nothing is left of one that was stopped or is not what was expected."""
    content = _read(wanted, stop or threading.Event(), progress)
    if content is None:
        return
    if hashlib.sha256(content).hexdigest() != wanted.sha256:
        raise _unreachable(wanted, "other bytes came than expected", "llegaron otros datos que los esperados")
    place = wanted.file
    half = place.with_name(f"{place.name}.{os.getpid()}.half")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(content)
        half.replace(place)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise ForOperator(
            f"The vocabulary could not be kept in {place.parent} ({error.strerror or error}). Make room, or mend its "
            "permissions.",
            spanish=f"No se pudo guardar el vocabulario en {place.parent} ({error.strerror or error}). Haz sitio o "
            "corrige sus permisos.",
        ) from None


def _read(wanted: Vocabulary, stop: threading.Event, progress: Callable[[int], None]) -> bytes | None:
    import httpx2

    content = bytearray()
    try:
        with httpx2.stream("GET", wanted.address, timeout=10.0, follow_redirects=True) as answer:
            answer.raise_for_status()
            for part in answer.iter_bytes():
                content += part
                progress(len(content))
                if stop.is_set():
                    return None
                if len(content) > _LARGEST:
                    break
    except httpx2.HTTPError as error:
        raise _unreachable(wanted, str(error) or type(error).__name__, str(error) or type(error).__name__) from None
    return bytes(content)


def _unreachable(wanted: Vocabulary, why: str, spanish: str) -> TryAgain:
    return TryAgain(
        f"The vocabulary {wanted.name} could not be fetched ({why[:200]}). Check the network and try again; until then "
        "a rule of thumb counts.",
        spanish=f"No se pudo descargar el vocabulario {wanted.name} ({spanish[:200]}). Comprueba la red y reinténtalo; "
        "mientras tanto se cuenta con una regla aproximada.",
    )


@lru_cache(maxsize=8)
def _sum(file: Path, changed: int) -> str:
    """`changed`: so that another file at the same place is read again."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
