"""In: what was found in a dataset. Out: the HTML of the tab where it is put right: by kind, with the places marked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.cleaning import CHECKS, EXCLUDED, Mend, title
from tuning.cleaning.fields import fields
from tuning.datasets import Dataset, Facets, Page, Stored
from tuning.pages.datasets.views.examples_view import words_of
from tuning.pages.datasets.views.pieces_view import attr, button, counted, hint_box, link, tag, tool

AT_ONCE = 25  # examples of an open kind
AROUND = 90  # characters around what was found
_SECRET = frozenset({"key", "password"})
_TWICE = frozenset({"duplicate", "near_duplicate"})


def titles(language: str) -> dict[str, str]:
    return {code: title(code, language) for code in CHECKS}


@dataclass(frozen=True, slots=True)
class Opened:
    """The findings that are open, the first examples with them, and those these are like."""

    code: str
    page: Page
    alike: Mapping[int, Stored]


def alike(page: Page) -> list[int]:
    """Examples that near-duplicates on this page name as the one to keep."""
    shown = [
        str(found.get("shown", "")) for one in page.examples for found in one.findings or () if found["code"] in _TWICE
    ]
    return [int(one[1:]) for one in dict.fromkeys(shown) if one[:1] == "#" and one[1:].isdecimal()]


def tab(one: Dataset, facets: Facets, opened: Opened | None, say: Words) -> str:
    if not one.examples:
        start = button("to-tab", say("datasets_do_gather"), "plus", kind="primary", tab="gather")
        return f'<div data-key="clean-{one.id}">{hint_box(say("datasets_no_examples"), say("datasets_no_examples_about"), start, "dataset")}</div>'
    waiting = facets.undecided
    known = sorted(
        facets.findings, key=lambda each: (each not in waiting, each not in EXCLUDED, -facets.findings[each])
    )
    cards = "".join(
        _kind(
            one,
            code,
            facets.findings[code],
            waiting.get(code, 0),
            opened if opened and opened.code == code else None,
            say,
        )
        for code in known
    )
    return f'<div data-key="clean-{one.id}" class="stack">{_look(one, facets, say)}{f"<ul class=cards>{cards}</ul>" if cards else ""}</div>'


def _look(one: Dataset, facets: Facets, say: Words) -> str:
    if facets.unseen:
        told = counted(say, "datasets_next_look", facets.unseen)
        look = button("look", say("datasets_do_look"), "search", kind="primary")
        return f'<div class="row"><p class="muted">{escape(told)}.</p>{look}</div>'
    again = button("look", say("datasets_look_again"), "retry", kind="quiet")
    if not facets.findings:
        return hint_box(say("datasets_clean"), say("datasets_clean_about"), again, "check")
    return f'<div class="row"><p class="muted">{escape(say("datasets_found_about"))}</p>{again}</div>'


def _kind(one: Dataset, code: str, n: int, waiting: int, opened: Opened | None, say: Words) -> str:
    """`n`: examples that have it; `waiting`: of those, drafts."""
    check = CHECKS.get(code)
    name = title(code, say.language) if check else code
    if not waiting:
        state = tag(say("datasets_all_decided"), "good")
    elif code in EXCLUDED:
        state = tag(counted(say, "datasets_excluded", waiting), "fair")
    else:
        state = tag(counted(say, "datasets_not_excluded", waiting))
    at = {"dataset": one.id, "tab": "clean"}
    there = at if opened else {**at, "code": code}
    go = link(escape(say("datasets_close" if opened else "datasets_see")), there, classes="button")
    why = say.sentences.get(f"datasets_why_{code}", "")
    below = _opened(one, opened, say) if opened else ""
    return f"""<li class="card finding-kind" data-key="f-{attr(code)}"><div class="card-words"><strong>{escape(name)} <b class="n">{say.number(n)}</b></strong>
<span class="muted">{escape(why)}</span><div class="tags">{state}</div></div><div class="card-tools">{go}</div>{below}</li>"""


def _opened(one: Dataset, opened: Opened, say: Words) -> str:
    code, page = opened.code, opened.page
    rows = "".join(_example(each, opened, say) for each in page.examples)
    more = page.total - len(page.examples)
    rest = {"dataset": one.id, "tab": "examples", "finding": code}
    see = link(escape(counted(say, "datasets_see_all", page.total)), rest, classes="button quiet") if more > 0 else ""
    return f"""<div class="opened"><div class="row">{"".join(_for_all(code, page.total, say))}{see}</div><ul class="found">{rows}</ul></div>"""


def _for_all(code: str, n: int, say: Words) -> Iterator[str]:
    mend = CHECKS[code].mend if code in CHECKS else Mend.NONE
    if mend:
        yield button("mend", counted(say, f"datasets_mend_{mend.value}", n), "spark", kind="primary", code=code)
    yield button("drop-found", counted(say, "datasets_drop_all", n), "close", code=code)
    yield button("include", counted(say, "datasets_include_all", n), "check", code=code)
    yield button("desk", say("datasets_one_by_one"), kind="quiet", finding=code)


def _example(one: Stored, opened: Opened, say: Words) -> str:
    code = opened.code
    texts = {field.path: field.text for field in fields(one.example)}
    mine = [finding for finding in one.findings or () if finding["code"] == code]
    if code in _TWICE:
        places = "".join(_twice(one, finding, opened.alike, say) for finding in mine[:1])
    else:
        places = "".join(_place(finding, texts, say) for finding in mine[:3])
    mend = tool("mend", say("datasets_mend_one"), "spark", code=code, example=one.id) if CHECKS[code].mend else ""
    drop = tool("drop", say("datasets_drop"), "close", example=one.id) if one.status.value != "dropped" else ""
    keep = tool("approve", say("datasets_approve_anyway"), "check", example=one.id) if one.status.value != "approved" else ""  # fmt: skip
    return f"""<li data-key="x{one.id}" class="is-{one.status.value}"><a class="card-words" href="/?view=desk&amp;dataset={one.dataset}&amp;example={one.id}" data-do="desk" data-example="{one.id}" data-finding="{attr(code)}">{places}
<small class="status">{escape(say(f"datasets_is_{one.status.value}"))}</small></a><div class="card-tools">{mend}{drop}{keep}</div></li>"""


def _place(finding: Mapping[str, Any], texts: Mapping[str, str], say: Words) -> str:
    """What was found, marked in what stands around it; a secret stays masked."""
    text = texts.get(str(finding.get("field", "")), "")
    start, end = int(finding.get("start", 0)), int(finding.get("end", 0))
    said = CHECKS[finding["code"]].sentence[say.language == "es"].format(shown=finding.get("shown", ""))
    if not text or end <= start:
        return f"<span>{icon('warn')} {escape(said)}</span>"
    found = str(finding.get("shown", "")) if finding["code"] in _SECRET else text[start:end]
    before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
    left = "…" if start > AROUND else ""
    right = "…" if end + AROUND < len(text) else ""
    return f'<span title="{attr(said)}">{left}{escape(before)}<mark>{escape(found)}</mark>{escape(after)}{right}</span>'


def _twice(one: Stored, finding: Mapping[str, Any], alike: Mapping[int, Stored], say: Words) -> str:
    """Both, one above the other: the one to keep first."""
    shown = str(finding.get("shown", ""))
    other = alike.get(int(shown[1:])) if shown[1:].isdecimal() else None
    kept = f"<span><b>{escape(say('datasets_kept_one'))}</b> {escape(_said(other))}</span>" if other else ""
    return f"{kept}<span><b>{escape(say('datasets_like_it'))}</b> {escape(_said(one))}</span>"


def _said(one: Stored) -> str:
    asked, answered = words_of(one)
    return f"{asked} — {answered}" if asked else answered
