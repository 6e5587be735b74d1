"""In: an example, a model's counter. Out: the example as that model sees it, token by token, with what carries loss.

    conversation   the system's message first, always: where none is given, the one that is written when it answers
    preference     the prompt and one answer: two sequences, `answer` 0 the better one; of a ranking, one per answer
    text           the text and the mark that ends it, all of it learned

    <|im_start|>user⏎      template
    Capital of France?     turn 1
    <|im_end|>⏎            template
    <|im_start|>assistant⏎ template
    Paris.<|im_end|>       turn 2, learned: the words and the mark that ends them
    ⏎                      template

What is learned is cut into tokens by itself: where an answer begins a model starts to write, so nothing merges across.
Calls of tools are written by the template where it knows them, else as <tool_call>{…}</tool_call>, which is learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby

from tuning.counting.tokens import Counter, Piece
from tuning.counting.written import Segment, written
from tuning.values import Example, Kind, Turn


@dataclass(frozen=True, slots=True)
class Token:
    """`text`s joined are what the model reads. `turn`: of the sequence's turns, the mark that ends an answer with it;
    None: the template's alone."""

    id: int | None
    text: str
    turn: int | None
    role: str
    learn: bool
    template: bool
    part: str = ""  # of a token that is no whole character: its bytes


@dataclass(frozen=True, slots=True)
class TokensOf:
    """How many tokens an example has. Of several sequences (a preference): all together."""

    total: int
    learned: int
    turns: tuple[int, ...] = ()  # per turn of the first sequence, marks around it not counted
    lengths: tuple[int, ...] = ()  # of its sequences, where there are several

    @property
    def longest(self) -> int:
        return max(self.lengths, default=self.total)


def sequences(example: Example) -> list[tuple[Turn, ...]]:
    """What is read as one: the conversation, or the prompt with each answer, the best first."""
    if not example.answers:
        return [example.turns]
    ranked = sorted(example.answers, key=lambda answer: answer.rank or len(example.answers))
    prompt = tuple(replace(turn, learn=False) for turn in example.turns)
    return [(*prompt, *answer.turns) for answer in ranked]


def shown(example: Example, counter: Counter, answer: int = 0) -> list[Token]:
    """`answer`: which of `sequences`. ForOperator where the model's template cannot write it."""
    turns = sequences(example)[answer]
    tokens: list[Token] = []
    for chunk in _chunks(example, turns, counter):
        for piece, segment in _placed(chunk, counter):
            tokens.append(
                Token(
                    piece.id, piece.text, segment.turn, segment.role, segment.learn, segment.template, piece.part
                )
            )  # fmt: skip
    return tokens


def of_example(example: Example, counter: Counter, *, turns: bool = True) -> TokensOf:
    """The same numbers as `shown`, without its tokens. `turns`: count each turn too."""
    totals, learned, each = [], 0, tuple[int, ...]()
    for at, sequence in enumerate(sequences(example)):
        chunks = list(_chunks(example, sequence, counter))
        counts = [_count(chunk, counter) for chunk in chunks]
        learned += sum(count for chunk, count in zip(chunks, counts, strict=True) if chunk[0].learn)
        totals.append(sum(counts))
        if turns and at == 0:
            each = _per_turn(chunks, len(sequence), counter)
    return TokensOf(sum(totals), learned, each, tuple(totals) if len(totals) > 1 else ())


def _per_turn(chunks: Sequence[Sequence[Segment]], many: int, counter: Counter) -> tuple[int, ...]:
    counts = [0] * many
    for segment in (segment for chunk in chunks for segment in chunk):
        if segment.turn is not None and not segment.template and segment.turn < many:
            counts[segment.turn] += counter.count(segment.text)
    return tuple(counts)


def _chunks(example: Example, turns: Sequence[Turn], counter: Counter) -> Iterator[list[Segment]]:
    """Segments that are cut into tokens together."""
    if example.kind is Kind.TEXT:
        end = counter.template.names.get("eos_token", "")
        parts = [Segment(example.text, 0, "text", True, False), Segment(end, 0, "text", True, True)]
    else:
        parts = written(turns, example.tools, counter.template)
    apart = counter.template.kind in ("bare", "counted")
    numbered = [(at, part) for at, part in enumerate(parts) if part.text]
    for _, same in groupby(numbered, key=lambda one: _together(one[0], one[1], apart)):
        yield [part for _, part in same]


def _together(at: int, part: Segment, apart: bool) -> tuple[bool, int | None]:
    """What is learned stands alone, turn by turn; so does everything where the marks are no text."""
    return part.learn, at if apart else part.turn if part.learn else None


def _count(chunk: Sequence[Segment], counter: Counter) -> int:
    return 1 if chunk[0].mark else counter.count("".join(segment.text for segment in chunk))


def _placed(chunk: Sequence[Segment], counter: Counter) -> Iterator[tuple[Piece, Segment]]:
    """Each token with the segment its first character stands in."""
    if chunk[0].mark:
        yield Piece(None, chunk[0].text, 0, len(chunk[0].text)), chunk[0]
        return
    ends = list(accumulate(len(segment.text) for segment in chunk))
    place = 0
    for piece in counter.pieces("".join(segment.text for segment in chunk)):
        while piece.text and piece.start >= ends[place]:
            place += 1
        yield piece, chunk[place]
