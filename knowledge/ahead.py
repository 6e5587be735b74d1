"""In: an iterator. Out: the same items, made in a thread of their own a few ahead of whoever takes them.

Stages of a pipeline overlap this way: `for x in ahead(second(ahead(first(), 64)), 2)`. An error of the iterator comes
out where its item would have; closing the outer one closes the inner.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

_END = object()


def ahead(items: Iterator[T], size: int, name: str = "ahead") -> Generator[T, None, None]:
    """At most `size` items wait; the thread is a daemon and ends with the generator."""
    waiting: queue.Queue[Any] = queue.Queue(size)
    closed = threading.Event()

    def put(item: Any) -> None:
        while not closed.is_set():
            with suppress(queue.Full):
                waiting.put(item, timeout=0.2)
                return

    def make() -> None:
        try:
            for item in items:
                put((item, None))
                if closed.is_set():
                    break
        except BaseException as error:  # handed on, not lost with the thread
            put((None, error))
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
            put((_END, None))

    thread = threading.Thread(target=make, name=name, daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        closed.set()
        thread.join(timeout=30)
