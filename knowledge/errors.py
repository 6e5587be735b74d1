"""What can go wrong in the library, split by who acts.

KnowledgeError
├── ForPerson        the person can mend it: another file, a password, a shorter question
├── ForOperator      whoever runs the app: disk full, folder owned by another process, wrong hash
└── TryAgain         waiting helps: the index is being rebuilt, a model is still loading

Anything else that escapes is a bug. Every message is one or two sentences: what happened, and what to do.
"""

from __future__ import annotations


class KnowledgeError(Exception):
    """Base of the tree. `str(error)` is fit to be shown to a person."""


class ForPerson(KnowledgeError):  # noqa: N818 - the name says who acts
    pass


class ForOperator(KnowledgeError):  # noqa: N818
    pass


class TryAgain(KnowledgeError):  # noqa: N818
    pass
