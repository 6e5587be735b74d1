"""In: the formats, the files of a version in one of them. Out: the HTML of the choice, and of what is in each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.datasets import Version
from tuning.formats import FORMATS
from tuning.pages.datasets.exports import WHOLE, Export, File
from tuning.pages.datasets.views.pieces_view import attr, button, counted, named
from tuning.pages.work import Job

ORDER = (  # those most people look for first
    "openai",
    "openai-preference",
    "prompt-completion",
    "vertex",
    "vertex-preference",
    "trl-messages",
    "trl-prompt-completion",
    "trl-preference",
    "trl-kto",
    "trl-text",
    "sharegpt",
    "afina",
)
KNOWN = frozenset({*FORMATS, WHOLE})
SHOWN = 50  # problems


def formats(one: Version, chosen: str, say: Words) -> str:
    """Every format with the kinds it takes; one that takes none of this version's is there, but cannot be chosen."""
    kinds = one.card.get("counts", {}).get("kinds", {})
    boxes = "".join(_format(name, kinds, chosen, say) for name in (*ORDER, WHOLE))
    return f"""<details class="fold" data-keep data-key="formats"><summary>{escape(say("datasets_other_format"))}</summary>
<fieldset class="picks formats" data-part="formats"><legend>{escape(say("datasets_export_as"))}</legend>{boxes}</fieldset></details>"""


def _format(name: str, kinds: Mapping[str, int], chosen: str, say: Words) -> str:
    takes = [kind.value for kind in FORMATS[name].kinds] if name in FORMATS else list(kinds)
    some = any(kind in kinds for kind in takes)
    told = ", ".join(named(say, "kinds", kind) for kind in takes) if name != WHOLE else say("datasets_everything")
    off = "" if some else " disabled"
    return f"""<label class="pick{"" if some else " off"}"><input type="radio" name="format" value="{attr(name)}"{" checked" if name == chosen else ""}{off}>
<span><strong>{escape(named(say, "format", name))}</strong><small>{escape(told)}</small></span></label>"""


def files(kind: str, found: Export | Job | None, say: Words) -> str:
    heading = f'<h3 data-key="as">{escape(named(say, "format", kind))}</h3>'
    return heading + _files(found, say)


def _files(found: Export | Job | None, say: Words) -> str:
    if isinstance(found, Export):
        shown = "".join(_file(file, say) for file in found.files)
        return f'<div class="outputs" data-key="files-{found.format}">{shown}</div>'
    if found is not None and found.state == "failed":
        told = found.failure.said(say.language) if found.failure else say("went_wrong")
        return f'<p class="state bad" data-key="files-bad">{icon("warn")} {escape(told)}</p>{button("again", say("datasets_again"), "retry")}'
    share = found.share if found is not None else None
    value = "" if share is None else f' value="{share:.2f}"'
    return f'<div class="outputs" data-key="files-wait"><p class="muted">{escape(say("datasets_writing"))}</p><progress max="1"{value} aria-label="{attr(say("datasets_writing"))}"></progress></div>'


def _file(file: File, say: Words) -> str:
    row = file.row
    title = say(f"datasets_side_{file.split or 'all'}")
    examples = counted(say, "datasets_n_examples", int(row.get("examples", 0)))
    rows = counted(say, "datasets_n_rows", int(row["rows"])) if "rows" in row else ""
    told = " · ".join(part for part in (examples, rows, say.size(file.size)) if part)
    kind = "primary" if file.split != "validation" else ""
    save = button("download", say(f"datasets_download_{file.split or 'all'}"), "arrow_down", kind=kind, file=file.path.name, name=file.name, size=file.size)  # fmt: skip
    losses = _losses(row, say)
    return f"""<div class="file" data-split="{file.split}"><div class="card-words"><strong>{escape(title)}</strong><span>{escape(told)}</span><small><code>{escape(file.name)}</code></small>
{_checked(file, say)}</div><div class="card-tools">{save}</div>{losses}{_problems(file, say)}</div>"""


def _checked(file: File, say: Words) -> str:
    if not file.checked:
        return ""
    if file.errors:
        return f'<p class="state bad">{icon("warn")} {escape(counted(say, "datasets_errors", file.errors))}</p>'
    more = f" {counted(say, 'datasets_warnings', file.warnings)}" if file.warnings else ""
    return f'<p class="state good">{icon("check")} {escape(say("datasets_valid") + more)}</p>'


def _losses(row: Mapping[str, Any], say: Words) -> str:
    """What is not in the file, before it is saved."""
    lost = "".join(_loss(one, say) for one in row.get("lost", ()))
    left = "".join(_loss(one, say) for one in row.get("left_out", ()))
    parts = ""
    if lost:
        parts += f"<p><strong>{escape(say('datasets_lost'))}</strong></p><ul class='notes'>{lost}</ul>"
    if left:
        parts += f"<p class='state fair'><strong>{escape(say('datasets_left_out_title'))}</strong></p><ul class='notes'>{left}</ul>"
    return f'<div class="losses">{parts}</div>' if parts else ""


def _loss(one: Mapping[str, Any], say: Words) -> str:
    return f"<li>{escape(str(one['message']))} <small>{escape(counted(say, 'datasets_n_examples', int(one['examples'])))}</small></li>"


def _problems(file: File, say: Words) -> str:
    if not file.problems:
        return ""
    rows = "".join(_problem(one, say) for one in file.problems[:SHOWN])
    more = file.errors + file.warnings - min(SHOWN, len(file.problems))
    rest = f"<p>{escape(counted(say, 'datasets_problems_more', more))}</p>" if more > 0 else ""
    opened = " open" if file.errors else ""
    heads = "".join(f"<th>{escape(say(f'datasets_{name}'))}</th>" for name in ("line", "field", "problem", "mend_it"))
    return f"""<details class="fold" data-keep{opened}><summary>{escape(say("datasets_check_result"))}</summary>
<table class="grid"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{rest}</details>"""


def _problem(one: Mapping[str, Any], say: Words) -> str:
    number = int(one.get("line") or 0)
    at = say.number(number) if number else say("datasets_whole_file")
    kind = "bad" if one["severity"] == "error" else "fair"
    return f'<tr><td>{escape(at)}</td><td><code>{escape(str(one["field"]))}</code></td><td><span class="state {kind}">{escape(str(one["message"]))}</span></td><td>{escape(str(one["mend"]))}</td></tr>'
