"""In: files on their way into the library. Out: how far each one is, for whoever shows it.

Reading goes on in threads of its own, so that a page may go away and come back. `place` names who waits for a file
(a conversation, the documents page). A password is handed to the reader and not kept.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from knowledge.errors import KnowledgeError
from knowledge.library import Library
from knowledge.values import Outcome, Progress, Status

log = logging.getLogger(__name__)
AT_ONCE = 2  # files read side by side; each one already runs its reader in a process of its own


@dataclass(frozen=True, slots=True)
class Arrival:
    id: int
    place: str
    progress: Progress
    done: bool = False
    stop: threading.Event = field(default_factory=threading.Event, repr=False)


class Arrivals:
    """Thread-safe. `stamp` grows whenever something a page shows has changed."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._arrivals: dict[int, Arrival] = {}
        self._closing = threading.Event()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="arrival")
        self.stamp = 0

    def add(self, path: Path, title: str, place: str, then: Callable[[int], None] | None = None) -> int:
        """Read the uploaded file `path` and delete it afterwards. `then(document)` runs once it can be searched."""
        arrival = self._new(Progress(None, title, Status.QUEUED), place)

        def work() -> None:
            try:
                self._run(arrival.id, lambda: self._library.add(path, title=title, stop=arrival.stop), then)
            finally:
                path.unlink(missing_ok=True)

        self._threads.submit(work)
        return arrival.id

    def retry(
        self, document: int, place: str, password: str | None = None, then: Callable[[int], None] | None = None
    ) -> int:
        """Read a document again, with the password a person gave."""
        with self._lock:
            for old in [a for a in self._arrivals.values() if a.done and a.progress.document == document]:
                del self._arrivals[old.id]
        title = self._library.document(document).title
        arrival = self._new(Progress(document, title, Status.QUEUED), place)

        def steps() -> Iterator[Progress]:
            return self._library.retry(document, password=password, stop=arrival.stop)

        self._threads.submit(self._run, arrival.id, steps, then)
        return arrival.id

    def here(self, place: str) -> list[Arrival]:
        with self._lock:
            return [a for a in self._arrivals.values() if a.place == place]

    def everywhere(self) -> list[Arrival]:
        with self._lock:
            return list(self._arrivals.values())

    def busy(self, place: str) -> list[Arrival]:
        return [a for a in self.here(place) if not a.done]

    def cancel(self, arrival: int) -> None:
        with self._lock:
            if arrival in self._arrivals:
                self._arrivals[arrival].stop.set()

    def dismiss(self, arrival: int) -> None:
        """Stop showing one that is done."""
        with self._lock:
            if arrival in self._arrivals and self._arrivals[arrival].done:
                del self._arrivals[arrival]
                self.stamp += 1

    def close(self) -> None:
        """Stop watching. What has not arrived yet is stored and left to the library, which goes on with it at the next
        start; only what a person cancelled is.
        """
        self._closing.set()
        self._threads.shutdown(wait=True)

    def _new(self, progress: Progress, place: str) -> Arrival:
        with self._lock:
            self.stamp += 1
            arrival = Arrival(self.stamp, place, progress)
            self._arrivals[arrival.id] = arrival
            return arrival

    def _run(self, arrival: int, steps: Callable[[], Iterator[Progress]], then: Callable[[int], None] | None) -> None:
        last = self._arrivals[arrival].progress
        try:
            if self._arrivals[arrival].stop.is_set():
                last = replace(last, status=Status.CANCELLED)
            else:
                for last in steps():
                    self._show(arrival, last)
                    if self._closing.is_set() and last.document is not None:
                        break
            if last.status.searchable and last.document is not None and then:
                then(last.document)
        except KnowledgeError as error:
            log.info("A file could not be brought in: %s", error)
            outcome = Outcome(error.key, error.values) if error.key else None
            last = replace(last, status=Status.FAILED, message=str(error), outcome=outcome)
        except Exception:
            log.exception("A file could not be brought in, or not be told about")
            last = last if last.status.final else replace(last, status=Status.FAILED, message="", outcome=None)
        self._show(arrival, last, done=True)

    def _show(self, arrival: int, progress: Progress, done: bool = False) -> None:
        with self._lock:
            self.stamp += 1
            if done and progress.status.searchable and not progress.duplicate:
                self._arrivals.pop(arrival, None)  # nothing left to say: it is in the library
            elif arrival in self._arrivals:
                self._arrivals[arrival] = replace(self._arrivals[arrival], progress=progress, done=done)
