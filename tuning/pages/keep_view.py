"""In: datasets' names, what can be kept. Out: the form below an answer: where it goes, and how much of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from knowledge.pages.wording import Words

SUGGESTED = "chats"  # the name of the first dataset, where there is none


def form(known: Sequence[str], newest: str, shapes: Sequence[str], say: Words) -> str:
    """`newest`: of `known`, chosen at first; `shapes`: words keep_…, the first one chosen."""
    options = "".join(_option(name, name, name == newest) for name in known)
    what = "".join(_option(name, say(f"keep_{name}"), False) for name in shapes)
    name = "" if known else SUGGESTED
    return f"""<h2>{escape(say("keep"))}</h2><p>{escape(say("keep_about"))}</p><div class="fields">
<label class="field"><span>{escape(say("keep_dataset"))}</span><select class="input" name="dataset">{options}{_option("", say("keep_new"), not known)}</select></label>
<label class="field" data-with="dataset" data-value=""><span>{escape(say("keep_name"))}</span><input class="input" name="name" maxlength="60" value="{name}" placeholder="{escape(say("keep_name_hint"))}"></label>
<label class="field"><span>{escape(say("keep_what"))}</span><select class="input" name="turns">{what}</select></label>
<label class="check"><input type="checkbox" name="approve" value="yes"><span>{escape(say("keep_approve"))}</span></label></div>"""


def _option(value: str, title: str, chosen: bool) -> str:
    return f'<option value="{escape(value)}"{" selected" if chosen else ""}>{escape(title)}</option>'
