"""What can go wrong in the assistant, split by who acts.

AssistantError
├── ForPerson        the person can mend it: another conversation, a shorter message
├── ForOperator      whoever runs the app: no weights, no key, disk full
└── TryAgain         waiting helps: a model is still loading, an answer is still being written

Anything else that escapes is a bug. Every message is one or two sentences: what happened, and what to do.
"""

from __future__ import annotations


class AssistantError(Exception):
    """Base of the tree. `str(error)` is fit to be shown to a person."""


class ForPerson(AssistantError):  # noqa: N818 - the name says who acts
    pass


class ForOperator(AssistantError):  # noqa: N818
    pass


class TryAgain(AssistantError):  # noqa: N818
    pass
