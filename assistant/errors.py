"""What can go wrong in the assistant, split by who acts. The library's own tree, one floor up: whoever catches a
KnowledgeError, or its ForPerson, catches these too.

AssistantError
├── ForPerson        the person can mend it: another conversation, a shorter message
├── ForOperator      whoever runs the app: no weights, no key, disk full
└── TryAgain         waiting helps: a model is still loading, an answer is still being written

Anything else that escapes is a bug. Every message is one or two sentences: what happened, and what to do.
"""

from __future__ import annotations

from knowledge import errors as knowledge


class AssistantError(knowledge.KnowledgeError):
    """Base of the tree. `str(error)` is fit to be shown to a person; `said("es")` where they read Spanish."""

    def __init__(self, message: str = "", *, spanish: str = "") -> None:
        super().__init__(message)
        self.spanish = spanish

    def said(self, language: str) -> str:
        return self.spanish if language == "es" and self.spanish else str(self)


class ForPerson(AssistantError, knowledge.ForPerson):  # noqa: N818 - the name says who acts
    pass


class ForOperator(AssistantError, knowledge.ForOperator):  # noqa: N818
    pass


class TryAgain(AssistantError, knowledge.TryAgain):  # noqa: N818
    pass
