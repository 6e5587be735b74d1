"""In: rows. Out: the frozen values of `values.py`. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.events import Route, steps, value, values
from assistant.history.tree import Node, Tree
from assistant.history.values import Conversation, Line, Message, MessageStatus
from assistant.store.tables import AttachmentRow, ConversationRow, MessageRow, RatingRow
from knowledge import Basis, Citation, Passage, Usage

AT_ONCE = 500  # ids per query: databases limit the variables of one statement


def conversation(row: ConversationRow, messages: int) -> Conversation:
    chosen = row.persona_id, row.model, row.settings
    return Conversation(row.id, row.title, row.created_at, row.updated_at, messages, *chosen)


def tree(session: Session, row: ConversationRow) -> Tree:
    """Only the bones: a long conversation's texts are read for the path that is shown."""
    columns = MessageRow.id, MessageRow.parent_id, MessageRow.role, MessageRow.chosen
    bones = select(*columns).where(MessageRow.conversation_id == row.id).order_by(MessageRow.id)
    return Tree((Node(*bone) for bone in session.execute(bones)), row.chosen)


def messages(session: Session, tree: Tree, ids: Sequence[int]) -> list[Message]:
    """In the order of `ids`."""
    rows: dict[int, MessageRow] = {}
    ratings: dict[int, RatingRow] = {}
    for first in range(0, len(ids), AT_ONCE):
        part = ids[first : first + AT_ONCE]
        rows.update((row.id, row) for row in session.scalars(select(MessageRow).where(MessageRow.id.in_(part))))
        newest = select(func.max(RatingRow.id)).where(RatingRow.message_id.in_(part)).group_by(RatingRow.message_id)
        found = session.scalars(select(RatingRow).where(RatingRow.id.in_(newest)))
        ratings.update((rating.message_id, rating) for rating in found)
    return [_message(rows[n], tree.siblings(n), ratings.get(n)) for n in ids if n in rows]


def lines(session: Session, ids: Sequence[int]) -> list[Line]:
    """In the order of `ids`; without passages, steps and ratings, which are most of a long conversation."""
    columns = MessageRow.id, MessageRow.role, MessageRow.text, MessageRow.persona
    rows: dict[int, Line] = {}
    for first in range(0, len(ids), AT_ONCE):
        part = select(*columns).where(MessageRow.id.in_(ids[first : first + AT_ONCE]))
        rows.update((number, Line(*said)) for number, *said in session.execute(part))
    return [rows[n] for n in ids if n in rows]


def attached(session: Session, conversation: int) -> list[int]:
    query = select(AttachmentRow.document_id).where(AttachmentRow.conversation_id == conversation)
    return list(session.scalars(query.order_by(AttachmentRow.created_at, AttachmentRow.document_id)))


def citations(row: MessageRow) -> tuple[Citation, ...]:
    return values(Citation, row.citations)


def _message(row: MessageRow, siblings: tuple[int, ...], rating: RatingRow | None) -> Message:
    return Message(
        id=row.id,
        conversation=row.conversation_id,
        parent=row.parent_id,
        role=row.role,
        text=row.text,
        status=MessageStatus(row.status),
        created_at=row.created_at,
        siblings=siblings,
        route=Route(row.route) if row.route else None,
        reason=row.reason,
        confidence=row.confidence,
        tool=row.tool,
        arguments=row.arguments,
        persona=row.persona,
        steps=steps(row.steps),
        settings=row.settings,
        basis=Basis(row.basis) if row.basis else None,
        citations=citations(row),
        passages=values(Passage, row.passages),
        usage=value(Usage, row.usage) if row.usage else None,
        model=row.model,
        draft=row.draft,
        failure=row.failure,
        liked=rating.liked if rating else None,
        reasons=tuple(rating.reasons) if rating else (),
        note=rating.note if rating else "",
        edited_from=row.edited_from,
    )
