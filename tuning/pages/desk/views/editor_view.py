"""In: a turn. Out: the form it is changed in. Pure.

Fields are named as `tuning.pages.desk.changes.Typed` names them; a problem stands beside its field (data-problem).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.pages.desk.changes import as_typed
from tuning.pages.desk.views.turns_view import attr
from tuning.values import Call, Example, Kind, Role, Turn


def editor(one: Example, place: str, turn: Turn, say: Words, *, of: str, new: bool) -> str:
    """`of`: the fingerprint of what is changed; `new`: before what stands at that place."""
    if place == "text":
        fields = _area("text", one.text, say("desk_kind_text"), rows=16)
    else:
        fields = _fields(one, place, turn, say, new=new)
    keeps = one.kind is Kind.CONVERSATION and turn.role is Role.ASSISTANT and bool(turn.text.strip()) and not new
    keep = (
        f'<button type="button" class="button" data-do="keep" data-for="assistant" title="{attr(say("desk_do_keep"))} (Ctrl Shift Enter)">{escape(say("desk_short_keep"))}</button>'
        if keeps and place.startswith("turns.") and place != "turns.0"
        else ""
    )
    label = say("desk_do_insert" if new else "desk_do_edit")
    return f"""<form class="desk-editor" data-do="save" data-place="{place}" data-of="{of}" data-new="{"yes" if new else ""}" data-role="{turn.role}" novalidate aria-label="{attr(label)}">
<p class="desk-conflict" data-part="conflict" role="alert" hidden></p>{fields}{_problem("")}
<div class="desk-line desk-editor-foot"><span class="muted desk-keys-note">{escape(say("desk_editor_keys"))}</span><span class="grow"></span>
<button type="button" class="button" data-do="cancel">{escape(say("cancel"))}</button>{keep}<button class="button primary">{escape(say("desk_save"))}</button></div></form>"""


def _fields(one: Example, place: str, turn: Turn, say: Words, *, new: bool) -> str:
    roles = [Role.ASSISTANT, Role.TOOL] if place.startswith("answers.") else list(Role)
    options = "".join(
        f'<option value="{role}"{" selected" if role is turn.role else ""}>{escape(say(f"desk_role_{role}"))}</option>'
        for role in roles
    )
    chosen = f"""<label class="field desk-role"><span>{escape(say("desk_role"))}</span><select class="input" data-field="role">{options}</select>{_problem("role")}</label>"""
    tool = f"""<div class="desk-pair" data-for="tool">{_line("name", turn.name if turn.role is Role.TOOL else "", say("desk_tool_name"))}
{_line("call_id", turn.call_id, say("desk_call_id"))}</div>"""
    rows = max(3, min(16, turn.text.count("\n") + len(turn.text) // 90 + 2))
    return f"{chosen}{tool}{_area('text', turn.text, say('desk_text'), rows=rows)}{_calls(turn.calls, say)}"


def _calls(calls: Sequence[Call], say: Words) -> str:
    shown = "".join(_call(number, call, say) for number, call in enumerate(calls))
    return f"""<div class="desk-calls" data-for="assistant"><div data-part="calls">{shown}</div><template>{_call(None, Call(""), say)}</template>
<button type="button" class="button quiet" data-do="more-calls">{icon("plus")}<span>{escape(say("desk_add_call"))}</span></button></div>"""


def _call(number: int | None, call: Call, say: Words) -> str:
    rows = max(2, min(12, call.arguments.count("\n") + 2))
    return f"""<fieldset class="desk-call-fields" data-call="{"" if number is None else number}"><div class="desk-line">{_line("call-name", call.name, say("desk_tool_name"))}
{_line("call-id", call.id, say("desk_call_id"))}<button type="button" class="tool" data-do="fewer-calls" aria-label="{attr(say("desk_remove_call"))}" title="{attr(say("desk_remove_call"))}">{icon("trash")}</button></div>
{_area("call-arguments", call.arguments, say("desk_arguments"), rows=rows, code=True)}</fieldset>"""


def _line(field: str, value: str, label: str) -> str:
    return f"""<label class="field"><span>{escape(label)}</span><input class="input" data-field="{field}" value="{attr(value)}" maxlength="200" autocomplete="off" spellcheck="false">{_problem(field)}</label>"""


def _area(field: str, value: str, label: str, *, rows: int, code: bool = False) -> str:
    """A line end right after the tag belongs to the tag (the HTML specification), so one is written."""
    looks = ' class="input desk-code" spellcheck="false"' if code else ' class="input"'
    return f"""<label class="field"><span>{escape(label)}</span><textarea{looks} data-field="{field}" rows="{rows}" dir="auto">
{escape(as_typed(value))}</textarea>{_problem(field)}</label>"""


def _problem(field: str) -> str:
    return f'<small class="state bad" data-problem="{field}" hidden></small>'
