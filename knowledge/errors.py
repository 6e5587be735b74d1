"""What can go wrong in the library, split by who acts.

KnowledgeError
├── ForPerson        the person can mend it: another file, a password, a shorter question
├── ForOperator      whoever runs the app: disk full, folder owned by another process, wrong hash
└── TryAgain         waiting helps: the index is being rebuilt, a model is still loading

Anything else that escapes is a bug. Every message is one or two sentences: what happened, and what to do.

    raise ForPerson("Shorten the question.")             English only
    raise ForPerson(key="no_document", document=3)       of knowledge.messages; `said("es")` is Spanish
"""

from __future__ import annotations

from knowledge.messages import sentence


class KnowledgeError(Exception):
    """Base of the tree. `str(error)` is fit to be shown to a person; so is `said(language)`, English without a key."""

    def __init__(self, message: str = "", *, key: str = "", **values: int | str) -> None:
        super().__init__(message or (sentence(key, "en", **values) if key else ""))
        self.key, self.values = key, values

    def said(self, language: str) -> str:
        return sentence(self.key, language, **self.values) if self.key else str(self)


class ForPerson(KnowledgeError):  # noqa: N818 - the name says who acts
    pass


class ForOperator(KnowledgeError):  # noqa: N818
    pass


class TryAgain(KnowledgeError):  # noqa: N818
    pass
