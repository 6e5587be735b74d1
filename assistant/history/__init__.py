"""In: messages as they are written, an SQL engine. Out: conversations and threads. Knows nothing of models or pages.

Its tables live in the same database as the library's, with migrations of their own (version table `assistant_version`).
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from assistant.history.conversations import Conversations
from assistant.history.messages import Messages
from assistant.history.partial import cited
from assistant.history.transactions import UnknownConversation, UnknownMessage
from assistant.history.values import Conversation, Message, MessageStatus
from knowledge.store import database

__all__ = ["Conversation", "History", "Message", "MessageStatus", "UnknownConversation", "UnknownMessage", "cited"]


class History(Conversations, Messages):
    """The chats of one data folder. Safe to call from any thread.

    Opening migrates the tables and closes what a crash left open: an answer still "writing" becomes "interrupted",
    its text kept. So only the owner of the data folder may open it.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        database.migrate(engine, Path(__file__).parent / "migrations", "assistant_version")
        self._interrupt_all()
