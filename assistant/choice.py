"""In: what a person chose for one message. Out: one frozen value that goes from the page or a verb to the agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assistant.models.inference import UNSAID, Inference


@dataclass(frozen=True, slots=True)
class Choice:
    """Everything left out is decided by the message, the chat's set-up, the persona and the app, in this order."""

    route: str = "auto"  # "auto" or a Route's value
    tool: str = ""  # with route "tool": which one; "": the router says
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)  # of that tool; empty: read from the message
    persona: str = ""  # a name; "": who was named with @, else the chat's
    model: str = ""
    settings: Inference = UNSAID


AUTO = Choice()
