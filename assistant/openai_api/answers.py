"""In: an agent's events. Out: OpenAI's objects: one completion, or the chunks of a stream.

    {"id": "chatcmpl-…", "object": "chat.completion", "created": 1, "model": "marv", "choices": [{"index": 0,
     "message": {"role": "assistant", "content": "…", "citations": [{"n", "document", "title", "page", "quote",
     "verified"}]}, "finish_reason": "stop"}], "usage": {…}, "afina": {"route", "reason", "persona", "tool", "denied"}}

Knows nothing of HTTP.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from assistant.events import Answered, ApprovalNeeded, Event, Failed, RouteChosen, Stopped, TextDelta
from assistant.openai_api.asked import Asked
from knowledge import Citation, Usage

Row = dict[str, Any]


@dataclass
class Completion:
    """One answer as it comes."""

    asked: Asked
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))
    written: str = ""  # of the pieces
    told: Row = field(default_factory=dict)  # the object "afina"
    failed: Failed | None = None
    ended: Answered | Stopped | None = None

    def take(self, event: Event) -> str:
        """The next piece of text, "" where the event has none."""
        match event:
            case TextDelta():
                self.written += event.text
                return event.text
            case RouteChosen():
                self.told |= {"route": event.route.value, "reason": event.reason}
                self.told |= {name: value for name in ("tool", "persona") if (value := getattr(event, name))}
            case ApprovalNeeded():
                self.told.setdefault("denied", []).append(event.tool)
            case Answered():
                self.ended = event
                if event.text.startswith(self.written):
                    rest = event.text[len(self.written) :]
                    self.written = event.text
                    return rest
            case Stopped():
                self.ended = event
            case Failed():
                self.failed = event
        return ""

    def whole(self) -> Row:
        message = {"role": "assistant", "content": self.text, "refusal": None, "citations": self._citations()}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish()}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self._usage(), "afina": self._said()}

    @property
    def text(self) -> str:
        return self.ended.text if self.ended else self.written

    def first(self) -> Row:
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def piece(self, text: str) -> Row:
        return self._chunk({"content": text})

    def last(self) -> Iterator[Row]:
        """The end of the one choice, then the usage where it was asked for."""
        said = self._said()
        if self.text != self.written:
            said["text"] = self.text
        end = self._chunk({"citations": self._citations()}, self._finish())
        yield {**end, "afina": said}
        if self.asked.include_usage:
            yield {**self._head("chat.completion.chunk"), "choices": [], "usage": self._usage()}

    def _chunk(self, delta: Row, finish: str | None = None) -> Row:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        row = {**self._head("chat.completion.chunk"), "choices": [choice]}
        return {**row, "usage": None} if self.asked.include_usage else row

    def _head(self, kind: str) -> Row:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.asked.model,
            "system_fingerprint": None,
        }

    def _said(self) -> Row:
        return {**self.told, **({"ignored": list(self.asked.ignored)} if self.asked.ignored else {})}

    def _citations(self) -> list[Row]:
        citations = self.ended.citations if isinstance(self.ended, Answered) else ()
        return [cited(citation) for citation in citations]

    def _finish(self) -> str:
        """ "length": as many tokens were written as were allowed."""
        most, usage = self.asked.settings.max_tokens, self._used()
        return "length" if most and usage.completion_tokens and usage.completion_tokens >= most else "stop"

    def _used(self) -> Usage:
        return self.ended.usage if isinstance(self.ended, Answered) else Usage()

    def _usage(self) -> Row:
        prompt, written = self._used().prompt_tokens or 0, self._used().completion_tokens or 0
        return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}


def cited(citation: Citation) -> Row:
    return {
        "n": citation.n,
        "document": citation.document,
        "title": citation.title,
        "page": citation.page,
        "quote": citation.quote,
        "verified": citation.verified,
    }
