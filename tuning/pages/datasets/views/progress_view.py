"""In: jobs. Out: the HTML of what is being done and what came of it, and the sentence of one that is done. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.pages.datasets.views.pieces_view import attr, counted, link, named, tool
from tuning.pages.work import Job


def jobs(found: Sequence[Job], say: Words) -> str:
    shown = "".join(_job(one, say) for one in found)
    return f'<div class="jobs">{shown}</div>' if shown else ""


def result(job: Job, say: Words) -> str:
    """One sentence of what came of it."""
    row = job.row
    if job.state == "failed":
        return job.failure.said(say.language) if job.failure else say("went_wrong")
    if job.state == "stopped":
        return say(f"datasets_stopped_{'import' if job.what == 'import' else 'rest'}")
    match job.what:
        case "build" | "documents" | "propose" | "distil":
            return _added(row, say)
        case "import" | "samples":
            left = counted(say, "datasets_skipped", row["skipped"]) if row.get("skipped") else ""
            return f"{_added({**row, 'added': row.get('read', 0)}, say)} {left}".strip()
        case "undo":
            what = str(row.get("undone") or "")
            return (
                say("datasets_undone", what=named(say, "did_what", what)) if what else say("datasets_nothing_to_undo")
            )
        case "mend" | "tag" | "untag" | "approve" | "drop" | "reopen":
            return changed(job.what, row, say)
        case "freeze":
            return say("datasets_frozen", version=row.get("version", ""))
        case "take":
            return say("datasets_taken", name=row.get("name", ""))
        case "look":
            return counted(say, "datasets_looked", int(row.get("examples", row.get("of", 0))))
    return say("datasets_done")


def changed(what: str, row: Mapping[str, Any], say: Words) -> str:
    left = counted(say, "datasets_left", row["left"]) if row.get("left") else ""
    return f"{counted(say, f'datasets_did_{what}', int(row.get('changed', 0)))} {left}".strip()


def _added(row: Mapping[str, Any], say: Words) -> str:
    said = [counted(say, "datasets_added", int(row.get("added", 0)))]
    if row.get("known"):
        said.append(counted(say, "datasets_known", int(row["known"])))
    if row.get("left_out"):
        said.append(counted(say, "datasets_left_out", int(row["left_out"])))
    return " ".join(said)


def _job(job: Job, say: Words) -> str:
    name = str(job.about.get("title", ""))
    title = say(f"datasets_job_{job.what}") + (f" · {name}" if name else "")
    if job.running:
        return f"""<div class="job" data-key="j{job.id}">{icon("retry")}<div class="card-words"><strong>{escape(title)}</strong>
{_bar(job, title)}<small>{escape(_so_far(job, say))}</small></div>{tool("cancel", say("datasets_cancel"), "close", job=job.id)}</div>"""
    kind, picture = {"done": ("good", "check"), "stopped": ("", "stop")}.get(job.state, ("bad", "warn"))
    return f"""<div class="job {kind}" data-key="j{job.id}">{icon(picture)}<div class="card-words"><strong>{escape(title)}</strong>
<p>{escape(result(job, say))} {_which(job, say)}</p></div>{tool("dismiss", say("datasets_dismiss"), "close", job=job.id)}</div>"""


def _which(job: Job, say: Words) -> str:
    """Where what was left out is listed, line by line."""
    if not job.row.get("skipped"):
        return ""
    return link(escape(say("datasets_which_ones")), {"dataset": job.dataset, "tab": "gather"}, classes="go")


def _bar(job: Job, title: str) -> str:
    share = job.share
    value = "" if share is None else f' value="{share:.3f}"'
    return f'<progress max="1"{value} aria-label="{attr(title)}"></progress>'


def _so_far(job: Job, say: Words) -> str:
    row = job.row
    if job.what == "import" and "read" in row:
        return counted(say, "datasets_so_far", int(row["read"]))
    if "done" in row and "of" in row:
        return say("datasets_done_of", done=say.number(row["done"]), of=say.number(row["of"]))
    return say("datasets_working")
