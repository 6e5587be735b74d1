"""Laws of waiting for a file: nothing is answered before it is read, unless told so; nothing at all once stopped."""

from __future__ import annotations

import threading
import time

from assistant.chat_page.patience import Patience


class _File:
    def __init__(self) -> None:
        self.read, self.answered = threading.Event(), threading.Event()

    def busy(self) -> bool:
        return not self.read.is_set()


def test_the_answer_waits_for_the_file_and_then_comes_by_itself() -> None:
    patience, file = Patience(), _File()
    patience.wait(1, 10, file.busy, file.answered.set)
    assert patience.question(1) == 10
    assert not file.answered.wait(0.5)
    file.read.set()
    assert file.answered.wait(2)
    assert patience.question(1) is None


def test_told_so_it_answers_at_once() -> None:
    patience, file = Patience(), _File()
    patience.wait(1, 10, file.busy, file.answered.set)
    patience.now(1)
    assert file.answered.wait(1)


def test_once_stopped_nothing_is_answered() -> None:
    patience, file = Patience(), _File()
    patience.wait(1, 10, file.busy, file.answered.set)
    patience.forget(1)
    assert patience.question(1) is None
    file.read.set()
    time.sleep(0.4)
    assert not file.answered.is_set()


def test_a_failure_of_the_answer_ends_the_waiting() -> None:
    patience, asked = Patience(), threading.Event()

    def fail() -> None:
        asked.set()
        raise RuntimeError("no model")

    patience.wait(1, 10, lambda: False, fail)
    assert asked.wait(1)
    before = patience.stamp
    patience.now(1)  # nobody waits any more: no error
    assert patience.question(1) is None
    assert before >= 2
