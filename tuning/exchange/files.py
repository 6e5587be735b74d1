"""In: examples, a format. Out: JSONL lines; what is lost on the way and what cannot be written, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tuning.formats import Format, Loss, Refused, line
from tuning.values import Example


@dataclass(slots=True)
class Export:
    """Iterate it once: the lines come as they are written; the counts are whole when it ends."""

    examples: Iterable[Example]
    format: Format
    rows: int = 0
    written: int = 0  # examples
    lost: Counter[Loss] = field(default_factory=Counter)  # loss → examples; by kind of loss, not by place
    refused: Counter[str] = field(default_factory=Counter)  # why, in English → examples left out
    spanish: dict[str, str] = field(default_factory=dict)  # the same reasons in Spanish

    def __iter__(self) -> Iterator[bytes]:
        for example in self.examples:
            try:
                made = self.format.write(example)
                lines = [line(row) for row in made.rows]
            except Refused as reason:
                self.refused[str(reason)] += 1
                self.spanish[str(reason)] = reason.said("es")
                continue
            self.written += 1
            self.rows += len(lines)
            self.lost.update({Loss(one.code, "") for one in made.lost})
            yield from lines

    def counts(self, language: str = "en") -> dict[str, object]:
        """{rows, examples, lost: [{code, message, examples}], left_out: [{message, examples}]}"""
        return {
            "rows": self.rows,
            "examples": self.written,
            "lost": [
                {"code": one.code, "message": one.said(language), "examples": count}
                for one, count in self.lost.most_common()
            ],
            "left_out": [
                {"message": self.spanish[why] if language == "es" else why, "examples": count}
                for why, count in self.refused.most_common()
            ],
        }
