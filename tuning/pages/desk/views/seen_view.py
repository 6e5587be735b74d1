"""In: an example, a model's counter. Out: the example as that model sees it: every token, what carries loss, by colour.

Colour is never alone: what is learned is underlined, what the template writes is faint. Knows no SQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from knowledge.pages.wording import Words
from tuning.counting.shown import Token, sequences, shown
from tuning.counting.tokens import Counter, Rule
from tuning.pages.desk.views.answers_view import in_order
from tuning.pages.desk.views.turns_view import attr, text
from tuning.values import Example, Kind

MOST = 4_000  # tokens drawn of one sequence; all are counted
_ROLES = {"system": "s", "user": "u", "assistant": "a", "tool": "o", "text": "a"}


@dataclass(frozen=True, slots=True)
class Read:
    """What a model reads as one."""

    tokens: Sequence[Token]
    answer: int | None  # of the example's answers

    @property
    def learned(self) -> int:
        return sum(token.learn for token in self.tokens)


def seen(one: Example, counter: Counter, say: Words) -> str:
    """ForOperator where the model's template cannot write it."""
    if counter.rule is not Rule.OWN:
        return unseen(counter.note(say.language))
    order = in_order(one.answers)
    every = [Read(shown(one, counter, at), order[at] if order else None) for at in range(len(sequences(one)))]
    total, learned = sum(len(each.tokens) for each in every), sum(each.learned for each in every)
    counts = say("desk_seen_counts", n=total, total=say.number(total), learned=say.number(learned), model=counter.model)
    blocks = "".join(_block(one, each, at, every, say) for at, each in enumerate(every))
    return f"""<div class="desk-seen" data-key="seen"><p class="desk-line"><b>{escape(counts)}</b></p>{_legend(one, say)}{blocks}</div>"""


def unseen(why: str) -> str:
    """One sentence, where the model's own tokenizer is not at hand or cannot write this example."""
    return f'<p class="state fair" data-key="seen">{escape(why)}</p>'


def _legend(one: Example, say: Words) -> str:
    roles = [] if one.kind is Kind.TEXT else ["system", "user", "assistant", *(["tool"] if _has_tools(one) else [])]
    parts = "".join(f'<li><i class="k {_ROLES[role]}">{escape(say(f"desk_role_{role}"))}</i></li>' for role in roles)
    return f"""<ul class="desk-line desk-legend" aria-label="{attr(say("desk_legend"))}">{parts}<li><i class="k a l">{escape(say("desk_learned"))}</i></li>
<li><i class="k t">{escape(say("desk_template"))}</i></li></ul>"""


def _has_tools(one: Example) -> bool:
    return any(turn.role == "tool" for turn in (*one.turns, *(turn for each in one.answers for turn in each.turns)))


def _block(one: Example, each: Read, at: int, every: Sequence[Read], say: Words) -> str:
    """The prompt stands in the first one; the others say that it is the same."""
    tokens, head = list(each.tokens), ""
    if each.answer is not None:
        answer = one.answers[each.answer]
        name = say("desk_chosen" if at == 0 else "desk_rejected") if one.kind is Kind.PREFERENCE else ""
        name = name or (say("desk_rank", rank=answer.rank) if answer.rank else say("desk_answer_n", n=at + 1))
        counted = say("desk_seen_one", n=len(tokens), total=say.number(len(tokens)), learned=say.number(each.learned))
        head = f'<p class="desk-line"><span class="tag">{escape(name)}</span><span class="muted">{escape(counted)}</span></p>'
    same = _same(every[0].tokens, tokens) if at else 0
    note = (
        f'<span class="muted">{escape(say("desk_same_prompt", n=same, many=say.number(same)))}</span>' if same else ""
    )
    cut = len(tokens) - same > MOST
    more = f'<p class="muted">{escape(say("desk_seen_cut", many=say.number(MOST)))}</p>' if cut else ""
    body = "".join(_turns(one, each.answer, tokens[same : same + MOST], say))
    return f'{head}<div class="desk-tokens" dir="auto">{note}{body}</div>{more}'


def _same(first: Sequence[Token], tokens: Sequence[Token]) -> int:
    """How many tokens at the beginning are the prompt that the first sequence has shown already."""
    for at, (one, other) in enumerate(zip(first, tokens, strict=False)):
        if one != other or one.learn:
            return at
    return min(len(first), len(tokens))


def _turns(one: Example, answer: int | None, tokens: Sequence[Token], say: Words) -> Iterator[str]:
    """Each turn is a place the keyboard goes to, so that masking and editing work here too."""
    owners = _owners(tokens)
    for turn, group in groupby(zip(owners, tokens, strict=True), key=lambda pair: pair[0]):
        html = "".join(_token(token) for _, token in group)
        place = _place(one, answer, turn)
        if place is None:
            yield f"<span>{html}</span>"
            continue
        role = next((t.role for o, t in zip(owners, tokens, strict=True) if o == turn and t.turn is not None), "text")
        learns = one.kind is Kind.CONVERSATION and turn is not None and one.turns[turn].learn
        masked = ' data-masked=""' if one.kind is Kind.CONVERSATION and role == "assistant" and not learns else ""
        label = attr(say("desk_kind_text") if role == "text" else say(f"desk_role_{role}"))
        number = f' data-turn="{turn}"' if place.startswith("turns.") else ""
        yield f'<span data-stop data-place="{place}"{number} data-role="{role}"{masked} tabindex="0" role="group" aria-label="{label}">{html}</span>'


def _owners(tokens: Sequence[Token]) -> list[int | None]:
    """What the template writes before a turn goes with it; a line end goes with what it ends."""
    owners: list[int | None] = [token.turn for token in tokens]
    last: int | None = None
    for at, token in enumerate(tokens):
        last = token.turn if token.turn is not None else last
        owners[at] = last if not token.text.strip() else token.turn
    following = last
    for at in reversed(range(len(owners))):
        following = owners[at] if owners[at] is not None else following
        owners[at] = following
    return owners


def _place(one: Example, answer: int | None, turn: int | None) -> str | None:
    if one.kind is Kind.TEXT:
        return "text"
    if turn is None:
        return None
    if turn < len(one.turns):
        return f"turns.{turn}"
    return None if answer is None else f"answers.{answer}.turns.{turn - len(one.turns)}"


def _token(token: Token) -> str:
    looks = _ROLES.get(token.role, "u") + (" l" if token.learn else "") + (" t" if token.template else "")
    title = f"{'–' if token.id is None else token.id}{f' · {token.part}' if token.part else ''}"
    shown_ = text(token.text).replace("\n", "↵\n") if token.text else "·"
    return f'<i class="{looks}" title="{attr(title)}">{shown_}</i>'
