"""What can go wrong on the way from a chat to a dataset, split by who acts; the assistant's tree, one floor up.

TuningError
├── ForPerson        the person can mend it: another file, another name, more examples
├── ForOperator      whoever runs the app: no tokenizer, disk full
└── TryAgain         waiting helps: another import is still running

Every message is one or two sentences: what happened, and what to do. `said("es")` where they read Spanish.
"""

from __future__ import annotations

from assistant import errors as assistant


class TuningError(assistant.AssistantError):
    pass


class ForPerson(TuningError, assistant.ForPerson):  # noqa: N818 - the name says who acts
    pass


class ForOperator(TuningError, assistant.ForOperator):  # noqa: N818
    pass


class TryAgain(TuningError, assistant.TryAgain):  # noqa: N818
    pass
