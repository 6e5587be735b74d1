"""In: whatever went wrong. Out: what a person reads of it. What is no sentence of ours goes to the log."""

from __future__ import annotations

import logging

from assistant import errors
from assistant.agent.limits import LimitReached
from assistant.events import Failed
from assistant.sentences import say
from knowledge import KnowledgeError
from knowledge import errors as knowledge_errors

_log = logging.getLogger(__name__)


def failed(error: Exception, language: str) -> Failed:
    match error:
        case LimitReached():
            return Failed(str(error))
        case errors.AssistantError() if error.spanish:  # it says in both languages what to do
            return Failed(error.said(language))
        case errors.TryAgain() | knowledge_errors.TryAgain():
            return Failed(say("wait", language, detail=str(error)))
        case errors.ForOperator() | knowledge_errors.ForOperator():
            return Failed(say("operator", language, detail=str(error)))
        case errors.AssistantError() | KnowledgeError():
            return Failed(say("person", language, detail=str(error)))
        case MemoryError():
            return Failed(say("memory", language))
        case _:
            _log.error("answering failed", exc_info=error)
            return Failed(say("bug", language))
