"""What reading yields besides pages, and how far it may go. Knows nothing of formats."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from knowledge.errors import ForPerson
from knowledge.messages import sentence
from knowledge.values import Outcome, Status


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one document may take. Everything is bounded, whatever the file says of itself."""

    bytes: int = 200_000_000  # of a PDF
    text_bytes: int = 50_000_000  # of a text file
    pages: int = 10_000
    characters: int = 100_000_000  # of all pages together
    memory: int = 1 << 30  # bytes, of the child process
    seconds: float = 30.0  # wall time spent waiting for the reader …
    seconds_per_page: float = 0.1  # … and so much more for each page …
    seconds_at_most: float = 600.0  # … but never more than this
    page_seconds: float = 15.0  # one page alone; beyond it the page is given up and the next one is read
    restarts: int = 3  # pages that may take the child down before the rest is given up

    def wall(self, pages: int) -> float:
        """Seconds that a file of so many pages may take."""
        return min(self.seconds_at_most, self.seconds + self.seconds_per_page * pages)


@dataclass(frozen=True, slots=True)
class Opened:
    """The file is open; `pages` are announced."""

    pages: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The last item of every reading. `message` is `sentence(code, "en", **values)`."""

    status: Status
    message: str
    pages_read: int
    code: str = ""
    values: dict[str, int | str] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.code, dict(self.values))


_STATUS = {
    "ready": Status.READY,
    "mostly_without_text": Status.READY,
    "partial_damaged": Status.READY_PARTIAL,
    "partial_timed_out": Status.READY_PARTIAL,
    "partial_slow": Status.READY_PARTIAL,
    "partial_memory": Status.READY_PARTIAL,
    "partial_too_long": Status.READY_PARTIAL,
    "no_text": Status.NO_TEXT,
    "no_text_plain": Status.NO_TEXT,
    "password": Status.NEEDS_PASSWORD,
    "wrong_password": Status.NEEDS_PASSWORD,
    "empty": Status.NOT_A_PDF,
    "not_a_file": Status.FAILED,
    "not_a_pdf": Status.NOT_A_PDF,
    "not_text": Status.NOT_A_PDF,
    "damaged": Status.DAMAGED,
    "crashed": Status.DAMAGED,
    "security": Status.FAILED,
    "too_big": Status.TOO_BIG,
    "too_many_pages": Status.TOO_BIG,
    "memory": Status.TOO_BIG,
    "timed_out": Status.TIMED_OUT,
    "cancelled": Status.CANCELLED,
    "gone": Status.FAILED,
    "failed": Status.FAILED,
}


def ended(code: str, pages_read: int = 0, **numbers: int) -> Ended:
    """The outcome that belongs to a message code."""
    values: dict[str, int | str] = {"read": pages_read, **numbers}
    return Ended(_STATUS[code], sentence(code, "en", **values), pages_read, code, values)


def empty(kind: str) -> Ended:
    """Of a file without a byte: no PDF at all, or a text without text."""
    outcome = ended("empty")
    return outcome if kind == "pdf" else replace(outcome, status=Status.NO_TEXT)


class CannotDraw(ForPerson):
    """A page image that could not be made. `code` says why."""

    def __init__(self, code: str, **values: int | str) -> None:
        super().__init__("", key=code, **values)
        self.code = code
