"""In: the form of a new job, what runs verbs. Out: estimates in the background: one at a time, of the newest form.

Another form cancels what is being measured and begins anew; the same one asks for nothing. What was measured before is
there at once. Knows no HTML.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tuning.pages.training import form as training_form
from tuning.pages.training.doors import Form
from tuning.pages.work import Job, Work

WHAT = "estimate"
AT_ONCE = 0.6  # seconds in which what is known already is there
Run = Callable[[str, Mapping[str, Any], threading.Event, str], Iterator[Mapping[str, Any]]]
Asked = Callable[[Form], Mapping[str, Any]]  # a form → the arguments of tune.estimate


class Estimating:
    def __init__(self, work: Work, run: Run, asked: Asked) -> None:
        self._work, self._run, self._asked = work, run, asked
        self._turn = threading.Lock()

    def newest(self) -> Job | None:
        return next((one for one in reversed(self._work.of(0)) if one.what == WHAT), None)

    def start(self, form: Form, language: str) -> None:
        """What cannot be estimated is said where the estimate would stand."""
        about = {"form": training_form.deciding(form)}
        with self._turn:
            now = self.newest()
            if now is not None and now.about == about and (now.running or (now.state == "done" and form.version)):
                return  # what is approved now may have changed: that is asked again
            if now is not None and now.running:
                self._work.cancel(now.id)
                self._work.wait(now.id, 5)

            def rows(stop: threading.Event) -> Iterator[Mapping[str, Any]]:
                yield from self._run("tune.estimate", self._asked(form), stop, language)

            begun = self._work.start(WHAT, 0, rows, about=about)
        self._work.wait(begun.id, AT_ONCE)

    def against(self, form: Form) -> Mapping[str, Any] | None:
        """The estimate of this form, where it says that memory or disk do not suffice."""
        now = self.newest()
        if now is None or now.state != "done" or now.about != {"form": training_form.deciding(form)}:
            return None
        return None if now.row.get("enough_memory", True) and now.row.get("enough_disk", True) else now.row
