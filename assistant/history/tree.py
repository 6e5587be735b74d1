"""In: the bones of a conversation's messages. Out: the shown path and the siblings. Knows nothing of SQL or text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    id: int
    parent: int | None
    role: str
    chosen: int | None  # the child that is shown; the newest one where none was chosen


class Tree:
    """Nodes of one conversation, in the order they came (ids ascend)."""

    def __init__(self, nodes: Iterable[Node], chosen: int | None) -> None:
        self.nodes: dict[int, Node] = {}
        self.chosen = chosen  # the first question that is shown
        self.children: defaultdict[int | None, list[int]] = defaultdict(list)
        for node in nodes:
            self.add(node)

    def add(self, node: Node) -> None:
        self.nodes[node.id] = node
        self.children[node.parent].append(node.id)

    def shown(self) -> list[int]:
        """Ids from the first question down the chosen branches to a leaf."""
        return self._down(None)

    def through(self, message: int) -> list[int]:
        """Ids from the first question to `message`, then on down its chosen branches."""
        return [*self.up_to(message), *self._down(message)]

    def up_to(self, message: int) -> list[int]:
        """Ids from the first question to `message`, itself last."""
        path: list[int] = []
        at: int | None = message
        while at is not None:
            path.append(at)
            at = self.nodes[at].parent
        return path[::-1]

    def siblings(self, message: int) -> tuple[int, ...]:
        node = self.nodes[message]
        return tuple(n for n in self.children[node.parent] if self.nodes[n].role == node.role)

    def _down(self, start: int | None) -> list[int]:
        path: list[int] = []
        at = start
        while children := self.children.get(at):
            chosen = self.chosen if at is None else self.nodes[at].chosen
            at = chosen if chosen in children else children[-1]
            path.append(at)
        return path
