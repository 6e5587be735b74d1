"""In: pieces, counts, tokens of an example. Out: the HTML of the tokenizer page. Pure; everything is escaped.

A box of tokens is one stop for the keyboard: arrows walk through it, and the line below says what the token is. Colours
only tell neighbours apart; what is learned is underlined, what a template writes is faint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.counting.shown import Token
from tuning.counting.tokens import Counter, Piece, Rule

ENGLISH = "The weather is lovely today, so we are going to walk along the beach before dinner."
SPANISH = "Hoy hace un tiempo estupendo, así que vamos a pasear por la playa antes de cenar."
LONGEST = 20_000  # characters of the text
SHORT = 2_000  # of the others
MOST = 3_000  # tokens drawn; all are counted
LISTED = 1_000
SAMPLES = ("words", "numbers", "emoji", "code", "names")


@dataclass(frozen=True, slots=True)
class Choice:
    """A model in the list."""

    name: str
    title: str
    exact: bool  # its own tokenizer is at hand


@dataclass(frozen=True, slots=True)
class Counted:
    """A text, and how it was counted."""

    text: str
    pieces: Sequence[Piece]
    tokens: int

    @property
    def words(self) -> int:
        return len(self.text.split())


def attr(text: object) -> str:
    return escape(str(text), quote=True)


def shell(say: Words) -> str:
    samples = "".join(
        f'<button class="button quiet" data-do="sample" data-text="{attr(say(f"tokenizer_text_{name}"))}">{escape(say(f"tokenizer_sample_{name}"))}</button>'
        for name in SAMPLES
    )
    return f"""<div class="page-inner"><header class="page-head">
<button class="tool only-narrow" data-do="sidebar" aria-label="{attr(say("menu"))}">{icon("sidebar")}</button>
<div><h1>{escape(say("page_tokenizer"))}</h1><p class="muted">{escape(say("tokenizer_about"))}</p></div></header>
<div data-region="models"></div>
<section class="fields" aria-labelledby="tokenizer-text-label"><label class="field" id="tokenizer-text-label"><span>{escape(say("tokenizer_text"))}</span>
<textarea class="input" data-part="text" rows="4" maxlength="{LONGEST}" spellcheck="false" dir="auto" placeholder="{attr(say("tokenizer_placeholder"))}"></textarea></label>
<div class="tokenizer-samples"><span class="muted">{escape(say("tokenizer_try"))}</span>{samples}</div>
<div data-region="text" aria-live="off"></div></section>
<section class="fields" aria-labelledby="tokenizer-compare"><h2 id="tokenizer-compare">{escape(say("tokenizer_compare"))}</h2><p class="muted">{escape(say("tokenizer_compare_about"))}</p>
<div class="tokenizer-two">{_area("english", say("tokenizer_english"), ENGLISH, "en")}{_area("spanish", say("tokenizer_spanish"), SPANISH, "es")}</div><div data-region="compare"></div></section>
<section class="fields" aria-labelledby="tokenizer-chat"><h2 id="tokenizer-chat">{escape(say("tokenizer_chat"))}</h2><p class="muted">{escape(say("tokenizer_chat_about"))}</p>
<div class="tokenizer-two">{_area("question", say("tokenizer_question"), say("tokenizer_question_text"), say.language)}{_area("answer", say("tokenizer_answer"), say("tokenizer_answer_text"), say.language)}</div>
<div data-region="chat"></div></section></div>"""


def _area(name: str, label: str, text: str, language: str) -> str:
    return f"""<label class="field"><span>{escape(label)}</span><textarea class="input" data-part="{name}" rows="3" maxlength="{SHORT}" spellcheck="false" lang="{language}">{escape(text)}</textarea></label>"""


def models(choices: Sequence[Choice], say: Words) -> str:
    """The browser keeps which one is chosen."""
    groups = "".join(
        f'<optgroup label="{attr(say(key))}">{"".join(_option(one) for one in mine)}</optgroup>'
        for key, exact in (("tokenizer_exact", True), ("tokenizer_by_rule", False))
        if (mine := [one for one in choices if one.exact is exact])
    )
    return f'<label class="field"><span>{escape(say("tokenizer_model"))}</span><select class="input" data-part="model">{groups}</select></label>'


def _option(one: Choice) -> str:
    shown = one.title if one.title == one.name else f"{one.title} · {one.name}"
    return f'<option value="{attr(one.name)}">{escape(shown)}</option>'


# ── a text ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def text(counted: Counted, counter: Counter, fetchable: bool, say: Words) -> str:
    if not counted.text:
        return f'{_rule(counter, fetchable, say)}<p class="muted tokenizer-empty">{escape(say("tokenizer_empty"))}</p>'
    return f"{_rule(counter, fetchable, say)}{_figures(counted, say)}{_box(counted, counter, say)}"


def _rule(counter: Counter, fetchable: bool, say: Words) -> str:
    """How it is counted; where a vocabulary could be fetched, a button that does."""
    if counter.rule is Rule.OWN:
        return ""
    fetch = f'<button class="button" data-do="fetch">{escape(say("tokenizer_fetch"))}</button>' if fetchable else ""
    words = say("tokenizer_rule", rule=counter.rule.said(say.language))
    return f'<div class="state fair tokenizer-rule" data-key="rule"><span>{escape(counter.note(say.language))} {escape(words)}</span>{fetch}</div>'


def _figures(counted: Counted, say: Words) -> str:
    tokens, words, letters = counted.tokens, counted.words, len(counted.text)
    figures = [
        ("tokenizer_tokens", say.number(tokens)),
        ("tokenizer_words", say.number(words)),
        ("tokenizer_letters", say.number(letters)),
        ("tokenizer_per_word", say.number(tokens / words, 2) if words else "–"),
        ("tokenizer_per_token", say.number(letters / tokens, 1) if tokens else "–"),
    ]
    shown = "".join(f"<div><dt>{escape(say(key))}</dt><dd>{value}</dd></div>" for key, value in figures)
    return f'<dl class="tokenizer-figures" data-key="figures">{shown}</dl><p class="muted" data-key="thumb">{escape(say("tokenizer_thumb"))}</p>'


def _box(counted: Counted, counter: Counter, say: Words) -> str:
    numbered = [piece for piece in counted.pieces if piece.id is not None]
    if not numbered:
        return ""
    special = frozenset(counter.template.special)
    tokens = "".join(_piece(piece, at, special, "t") for at, piece in enumerate(numbered[:MOST]))
    more = ""
    if len(numbered) > MOST:
        words = say("tokenizer_first", n=say.number(MOST), total=say.number(len(numbered)))
        more = f'<p class="muted">{escape(words)}</p>'
    ids = " ".join(str(piece.id) for piece in numbered)
    return f"""<div class="tokenizer-head" data-key="head"><button class="button quiet" data-do="ids" aria-pressed="false" data-part="ids">{escape(say("tokenizer_show_ids"))}</button>
<button class="button quiet" data-do="copy" data-ids="{ids}">{icon("copy")}<span>{escape(say("tokenizer_copy"))}</span></button></div>
{_listbox(tokens, say("tokenizer_tokens"), "text")}{more}{_list(numbered, say)}"""


def _listbox(tokens: str, label: str, name: str) -> str:
    return f"""<div class="tokenizer-box" data-key="box-{name}"><div class="tokenizer-tokens" role="listbox" tabindex="0" dir="auto" aria-label="{attr(label)}">{tokens}</div>
<p class="tokenizer-detail" role="status" data-part="detail"></p></div>"""


def _piece(piece: Piece, at: int, special: frozenset[str], prefix: str) -> str:
    mark = " mark" if piece.text in special else ""
    return _token(piece.id, piece.text, piece.part, f"k{at % 5}{mark}", f"tokenizer-{prefix}{at}", at)


def _token(number: int | None, written: str, part: str, looks: str, place: str, at: int) -> str:
    data = f'data-at="{at + 1}" data-id="{"" if number is None else number}"' + (
        f' data-bytes="{part}"' if part else ""
    )
    shown = escape(written).replace("\n", "↵\n").replace("\t", "→\t") if written else ""
    if not written:
        looks, shown = f"{looks} half", escape(part)
    label = f"{at + 1}: {_spoken(written) or part}, {'–' if number is None else number}"
    return f'<span role="option" aria-selected="false" id="{place}" class="{looks}" {data} aria-label="{attr(label)}">{shown}</span>'


def _spoken(written: str) -> str:
    """Spaces as marks, so that they can be seen and are read out."""
    return written.replace(" ", "␣").replace("\n", "↵").replace("\t", "→")


def _list(numbered: Sequence[Piece], say: Words) -> str:
    rows = "".join(
        f"<tr><td>{at}</td><td>{piece.id}</td><td><code>{escape(_spoken(piece.text))}</code></td><td>{escape(piece.part)}</td></tr>"
        for at, piece in enumerate(numbered[:LISTED], 1)
    )
    head = "".join(
        f'<th scope="col">{escape(say(key))}</th>'
        for key in ("tokenizer_nth", "tokenizer_id", "tokenizer_written", "tokenizer_bytes")
    )
    more = ""
    if len(numbered) > LISTED:
        words = say("tokenizer_first", n=say.number(LISTED), total=say.number(len(numbered)))
        more = f'<p class="muted">{escape(words)}</p>'
    return f"""<details data-key="list" data-keep><summary>{escape(say("tokenizer_list"))}</summary><div class="tokenizer-table"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{more}</details>"""


# ── two languages ────────────────────────────────────────────────────────────────────────────────────────────────────


def compare(english: Counted, spanish: Counted, counter: Counter, say: Words) -> str:
    most = max(english.tokens, spanish.tokens, 1)
    bars = "".join(
        _bar(say(key), one, most, counter, prefix, say)
        for key, one, prefix in (("tokenizer_english", english, "e"), ("tokenizer_spanish", spanish, "s"))
    )
    return f'<div class="tokenizer-bars">{bars}</div>{_ratio(english, spanish, counter, say)}'


def _bar(label: str, one: Counted, most: int, counter: Counter, prefix: str, say: Words) -> str:
    per_word = say.number(one.tokens / one.words, 2) if one.words else "–"
    counts = say("tokenizer_counts", n=one.tokens, tokens=say.number(one.tokens), words=say.number(one.words))
    special = frozenset(counter.template.special)
    numbered = [piece for piece in one.pieces if piece.id is not None]
    tokens = "".join(_piece(piece, at, special, prefix) for at, piece in enumerate(numbered))
    box = _listbox(tokens, label, prefix) if numbered else ""
    return f"""<div class="tokenizer-side" data-key="{prefix}"><p><strong>{escape(label)}</strong> <span>{escape(counts)}</span> <span class="muted">{escape(say("tokenizer_each", n=per_word))}</span></p>
<div class="tokenizer-bar"><i style="width: {round(100 * one.tokens / most)}%"></i></div>{box}</div>"""


def _ratio(english: Counted, spanish: Counted, counter: Counter, say: Words) -> str:
    if not (english.tokens and spanish.tokens):
        return ""
    ratio = spanish.tokens / english.tokens
    key = "tokenizer_more" if ratio > 1.02 else "tokenizer_less" if ratio < 0.98 else "tokenizer_same"
    words = say(key, ratio=say.number(ratio if ratio >= 1 else 1 / ratio, 2), model=counter.model)
    return f'<p data-key="ratio"><strong>{escape(words)}</strong></p>'


# ── a chat template ──────────────────────────────────────────────────────────────────────────────────────────────────


def chat(tokens: Sequence[Token], counter: Counter, say: Words) -> str:
    if counter.template.kind == "bare":
        return f'<p class="muted">{escape(say("tokenizer_no_template", model=counter.model))}</p>'
    added, learned = sum(token.template for token in tokens), sum(token.learn for token in tokens)
    counts = say(
        "tokenizer_adds", n=added, added=say.number(added), total=say.number(len(tokens)), learned=say.number(learned)
    )
    legend = "".join(
        f'<li><i class="{looks}">{escape(say(key))}</i></li>'
        for looks, key in (
            ("template", "tokenizer_template"),
            ("said", "tokenizer_said"),
            ("learn", "tokenizer_learned"),
        )
    )
    body = "".join(
        _token(token.id, token.text, token.part, _looks(token), f"tokenizer-c{at}", at)
        for at, token in enumerate(tokens)
    )
    return f"""<p data-key="counts"><strong>{escape(counts)}</strong></p><ul class="tokenizer-legend" data-key="legend">{legend}</ul>{_listbox(body, say("tokenizer_chat"), "chat")}"""


def _looks(token: Token) -> str:
    return ("template" if token.template else "said") + (" learn" if token.learn else "")


def refused(sentence: str) -> str:
    return f'<p class="state fair">{escape(sentence)}</p>'
