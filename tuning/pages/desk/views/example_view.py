"""In: a stored example, what is wrong with it. Out: its HTML: facts, where it is from, tags, findings, turns. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.datasets import Status, Stored
from tuning.pages.desk.views.answers_view import answers
from tuning.pages.desk.views.turns_view import Found, attr, marked, text, tools, turn
from tuning.values import Example, Kind, Source


def example(one: Stored, found: Sequence[Found], say: Words, seen: str = "") -> str:
    """`seen`: the same as the model sees it, in place of the turns."""
    kind = one.example.kind
    body = seen or _body(one.example, found, say)
    return f"""<article class="desk-example" data-key="e{one.id}" data-example="{one.id}" data-kind="{kind}" data-status="{one.status}" data-of="{one.fingerprint}"
aria-label="{attr(say("desk_example", id=one.id))}"><header class="desk-facts">{_facts(one, say)}{_source(one.example.source, say)}{_findings(one, found, say)}</header>
{body}</article>"""


def _facts(one: Stored, say: Words) -> str:
    many = len(one.example.turns) + sum(len(answer.turns) for answer in one.example.answers)
    facts = [say(f"desk_kind_{one.example.kind}")]
    facts += [say("desk_turns", n=many)] if many else []
    facts.append(say("desk_characters", n=one.characters, many=say.number(one.characters)))
    facts += [say("desk_tokens", n=one.tokens, many=say.number(one.tokens))] if one.tokens is not None else []
    facts += [one.language.upper()] if one.language else []
    unranked = f'<span class="tag fair">{escape(say("desk_unranked"))}</span>' if one.unranked else ""
    return f"""<div class="desk-line"><span class="tag desk-status" data-status="{one.status}">{_status_icon(one.status)}{escape(say(f"desk_status_{one.status}"))}</span>{unranked}
<span class="muted">{escape(" · ".join(facts))}</span><span class="grow"></span>{_tags(one, say)}</div>"""


def _status_icon(status: Status) -> str:
    return {Status.APPROVED: icon("check"), Status.DROPPED: icon("close")}.get(status, "")


def _source(source: Source, say: Words) -> str:
    parts = [_origin(source, say), *(escape(part) for part in _provenance(source, say))]
    strange = "".join(
        f'<span class="tag fair" title="{attr(say("desk_untrusted_about"))}">{icon("warn")}{escape(say("desk_untrusted", name=name))}</span>'
        for name in source.untrusted
    )
    return f'<p class="desk-source">{" · ".join(parts)} {strange}</p>'


def _origin(source: Source, say: Words) -> str:
    name = source.name or say("desk_untitled")
    if source.conversation is not None:
        title = attr(say("desk_to_chat"))
        return f"""{escape(say("desk_from_chat"))} <a class="link" href="/?c={source.conversation}" data-do="chat" data-conversation="{source.conversation}" title="{title}">“{escape(name)}”</a>"""
    known = source.origin if f"desk_from_{source.origin}" in say.sentences else "hand"
    said = say(f"desk_from_{known}")
    where = f"{said} {source.name}" if source.name else said
    return escape(where + (f", {say('desk_at_line', line=source.line)}" if source.line is not None else ""))


def _provenance(source: Source, say: Words) -> Iterator[str]:
    if source.how:
        yield say.sentences.get(f"desk_how_{source.how.replace(' ', '_')}", source.how)
    if source.persona:
        yield say("desk_persona", name=source.persona)
    if source.model:
        yield say("desk_model", name=source.model)
    if source.created_at:
        yield source.created_at[:10]


def _tags(one: Stored, say: Words) -> str:
    chips = "".join(
        f'<li class="tag" data-key="tag-{attr(tag)}">{escape(tag)}<button class="tool" data-do="untag" data-tag="{attr(tag)}" '
        f'aria-label="{attr(say("desk_untag", tag=tag))}" title="{attr(say("desk_untag", tag=tag))}">{icon("close")}</button></li>'
        for tag in one.example.tags
    )
    listed = f'<ul class="tags" data-key="tags" aria-label="{attr(say("desk_tags"))}">{chips}</ul>' if chips else ""
    return f"""<div class="desk-line desk-tags">{listed}<form data-do="tag" data-key="new-tag"><input class="input" name="tag" list="desk-known-tags" maxlength="60" autocomplete="off" placeholder="{attr(say("desk_tag_new"))}"
aria-label="{attr(say("desk_tag_new"))}"></form></div>"""


# ── findings ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _findings(one: Stored, found: Sequence[Found], say: Words) -> str:
    if not found:
        return ""
    rows = "".join(_finding(number, each, say) for number, each in enumerate(found))
    return f'<ul class="desk-findings" aria-label="{attr(say("desk_findings"))}">{rows}</ul>'


def _finding(number: int, one: Found, say: Words) -> str:
    see = f'data-do="see" data-finding="{number}" data-field="{attr(one.field)}"' if one.field else "disabled"
    mend = (
        f'<button class="button" data-do="mend" data-finding="{number}">{escape(say("desk_mend"))}</button>'
        if one.mends
        else ""
    )
    other = (
        f'<button class="button" data-do="other" data-example="{one.other}">{escape(say("desk_like", id=one.other))}</button>'
        if one.other
        else ""
    )
    return f"""<li data-code="{attr(one.code)}">{icon("warn")}<button class="desk-finding" {see}>{text(one.said)}</button>{mend}{other}</li>"""


def _body(one: Example, found: Sequence[Found], say: Words) -> str:
    if one.kind is Kind.TEXT:
        return f"""<section class="desk-turn" data-key="text" data-stop data-place="text" tabindex="0" aria-label="{attr(say("desk_kind_text"))}">
<header><b>{escape(say("desk_kind_text"))}</b>{tools(("edit",), "text", say)}</header><div class="desk-text" dir="auto">{marked(one.text, "text", found)}</div></section>"""
    turns = "".join(turn(one, at, found, say) for at in range(len(one.turns)))
    missing = "" if one.system else _no_system(say)
    return f'{_declared(one, say)}<div class="desk-turns" data-part="turns">{missing}{turns}</div>{answers(one, found, say)}'


def _no_system(say: Words) -> str:
    return f"""<button class="button quiet desk-system" data-key="system" data-do="system">{icon("plus")}<span>{escape(say("desk_add_system"))}</span><kbd>i</kbd></button>"""


def _declared(one: Example, say: Words) -> str:
    """The tools it may call, as they are declared to the model."""
    if not one.tools:
        return ""
    names = [str((tool.get("function") or {}).get("name", "?")) for tool in one.tools]
    whole = text(json.dumps([dict(tool) for tool in one.tools], ensure_ascii=False, indent=2))
    return f"""<details class="desk-fold" data-key="tools" data-keep><summary>{icon("tools")}<span>{escape(say("desk_tools", n=len(names)))}: {escape(", ".join(names))}</span></summary>
<pre>{whole}</pre></details>"""
