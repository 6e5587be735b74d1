"""In: messages as they are written, an SQL engine. Out: conversations and threads. Knows nothing of models or pages.

Its tables are those of `assistant.store`, in the same database as the library's.
"""

from __future__ import annotations

from sqlalchemy import Engine

from assistant.history.conversations import Conversations
from assistant.history.messages import Messages
from assistant.history.partial import cited
from assistant.history.values import Conversation, Line, Message, MessageStatus, Opened
from assistant.store.transactions import UnknownConversation, UnknownMessage

__all__ = [
    "Conversation",
    "History",
    "Line",
    "Message",
    "MessageStatus",
    "Opened",
    "UnknownConversation",
    "UnknownMessage",
    "cited",
]


class History(Conversations, Messages):
    """The chats of one data folder. Safe to call from any thread.

    Opening migrates the tables and closes what a crash left open: an answer still "writing" becomes "interrupted",
    its text kept. So only the owner of the data folder may open it.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._interrupt_all()
