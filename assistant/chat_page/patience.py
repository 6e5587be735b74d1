"""In: questions asked while a file is being read. Out: their answers started once it is, or at once when told so.

The question is in the history before it waits. The waiting is lost with the process; the question is not, and the
page then offers to answer it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)
STEP = 0.2  # seconds between two looks


class Patience:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, tuple[int, threading.Event]] = {}  # conversation → question, "answer now"
        self.stamp = 0

    def wait(self, conversation: int, question: int, busy: Callable[[], bool], go: Callable[[], object]) -> None:
        """Call `go` in a thread once `busy` says no, or `now` was called."""
        now = threading.Event()
        with self._lock:
            self._waiting[conversation] = (question, now)
            self.stamp += 1

        def run() -> None:
            while busy() and not now.wait(STEP):
                pass
            with self._lock:
                mine = self._waiting.get(conversation) == (question, now)
                if mine:
                    del self._waiting[conversation]
                self.stamp += 1
            try:
                if mine:
                    go()
            except Exception:
                log.exception("A question that waited for its file could not be answered")

        threading.Thread(target=run, name=f"patience-{question}", daemon=True).start()

    def question(self, conversation: int) -> int | None:
        with self._lock:
            return self._waiting[conversation][0] if conversation in self._waiting else None

    def now(self, conversation: int) -> None:
        with self._lock:
            if conversation in self._waiting:
                self._waiting[conversation][1].set()

    def forget(self, conversation: int) -> None:
        """The person stopped it: nothing is answered."""
        with self._lock:
            if conversation in self._waiting:
                self._waiting.pop(conversation)[1].set()
                self.stamp += 1
