"""In: personas, the versions of their models, what runs. Out: the HTML of the room of published models. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from assistant.pages.personas_view import portrait
from assistant.personas import Lineage, Stored
from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.jobs.published import Publication
from tuning.pages.datasets.views.pieces_view import (
    attr,
    button,
    choices,
    counted,
    hint_box,
    line,
    problem,
    tag,
    tool,
    when,
)  # fmt: skip
from tuning.pages.training.exports import Exported
from tuning.pages.training.views.frame_view import rooms
from tuning.pages.training.views.pieces_view import fold, link
from tuning.pages.work import Job


@dataclass(frozen=True, slots=True)
class Version:
    """`ways`: how it can be exported; `exports`: those that are there."""

    made: Publication
    ways: Sequence[str] = ()
    exports: Sequence[Exported] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    persona: Stored
    versions: Sequence[Version]  # the newest first


def head(say: Words) -> str:
    return f"""<header class="page-head"><button class="tool only-narrow" data-do="sidebar" aria-label="{attr(say("menu"))}">{icon("sidebar")}</button>
<div><h1 tabindex="-1">{escape(say("published_title"))}</h1><p class="muted">{escape(say("published_about"))}</p></div></header>{rooms("published", say)}"""


def body(shown: Sequence[Shown], works: Sequence[Job], say: Words) -> str:
    """What runs stands with the persona it is of; an import with the form it was asked in."""
    listed = "".join(_persona(one, [work for work in works if work.dataset == one.persona.id], say) for one in shown)
    if not listed:
        go = link(escape(say("published_to_jobs")), classes="button primary")
        listed = f'<li class="none" data-key="none">{hint_box(say("published_none"), say("published_none_about"), go, "people")}</li>'
    coming = _import([work for work in works if not work.dataset], say)
    return f'<div class="stack published-room" data-key="published"><ul class="spoken">{listed}</ul>{coming}</div>'


def _works(works: Sequence[Job], key: str, say: Words) -> str:
    shown = "".join(_work(one, say) for one in works)
    return f'<div class="jobs" data-key="{key}" role="status">{shown}</div>' if shown else ""


# ── a persona ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _persona(one: Shown, works: Sequence[Job], say: Words) -> str:
    persona, number = one.persona.persona, one.persona.id
    now = next((each.made for each in one.versions if each.made.current), None)
    told = say("published_now", version=say.number(now.number)) if now else say("published_now_other")
    versions = "".join(_version(each, one, now, say) for each in one.versions)
    chat = button("chat", say("training_chat", name=persona.name), "chat", kind="primary", persona=number)
    return f"""<li class="speaker" data-key="p{number}"><div class="speaker-head">{portrait(persona.picture, persona.name)}
<div class="card-words"><h2>{escape(persona.name)}</h2><small>{escape(told)} · {escape(counted(say, "published_versions", len(one.versions)))}</small></div>{chat}</div>{_works(works, f"works-{number}", say)}
<ol class="versions" reversed>{versions}</ol></li>"""


def _version(one: Version, of: Shown, now: Publication | None, say: Words) -> str:
    made, number = one.made, one.made.number
    name = say("published_version", version=say.number(number))
    tags = tag(say(f"published_kind_{made.kind}"), "" if made.kind == "written" else "good")
    tags += tag(say("published_current"), "live") if made.current else ""
    lineage = made.lineage
    doubts = (
        "".join(f'<p class="state fair">{escape(_doubt(one, say))}</p>' for one in lineage.although) if lineage else ""
    )
    go = ""
    if not made.current:
        back = now is None or number < now.number
        label = say("published_back" if back else "published_forward")
        title = say("published_go_hint", name=of.persona.name, version=say.number(number))
        go = button("go-to", label, "undo" if back else "right", title=title, persona=of.persona.id, version=number)
    told = "".join(f"<p>{escape(each)}</p>" for each in _told(made, lineage, say))
    return f"""<li class="version{" is-current" if made.current else ""}" data-key="v{of.persona.id}-{number}" tabindex="-1"{' aria-current="true"' if made.current else ""}><div class="version-head"><strong>{escape(name)}</strong><span class="tags">{tags}</span>
<small>{when(made.created_at)}</small>{go}</div><div class="version-told">{told}</div>{doubts}{_exports(one, of, say)}</li>"""


def _told(made: Publication, lineage: Lineage | None, say: Words) -> list[str]:
    if lineage is None:
        return [say("published_by_hand", model=str(made.card.get("model", "")) or say("published_app_model"))]
    parts = [
        say(f"published_of_{name}", value=value)
        for name in ("source", "dataset", "base", "method", "job")
        if (value := getattr(lineage, name))
    ]
    return [" · ".join(parts), *([measured] if (measured := _measured(lineage, say)) else [])]


def _measured(lineage: Lineage, say: Words) -> str:
    """Before → after, of each measure that has both."""
    found, told = dict(lineage.evaluation), []
    for name in [one for one in found if one.endswith("_before")]:
        stem = name.removesuffix("_before")
        after = found.get(f"{stem}_after")
        if after is not None:
            label = say.sentences.get(f"published_measure_{stem}", stem.replace("_", " "))
            told.append(f"{label} {say.number(found[name], 3)} → {say.number(after, 3)}")
    return " · ".join(told)


def _doubt(doubt: str, say: Words) -> str:
    return say(f"published_although_{doubt}")


# ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _exports(one: Version, of: Shown, say: Words) -> str:
    there = "".join(_exported(each, say) for each in one.exports)
    known = {each.way for each in one.exports}
    left = [(way, say(f"published_way_{way.replace(':', '_')}")) for way in one.ways if way not in known]
    form = ""
    if left:
        pick = f"""<label class="field"><span>{escape(say("published_way"))}</span><select class="input" data-field="way">{choices(left)}</select></label>"""
        form = f"""<form class="row leaving" data-do="export" data-persona="{of.persona.id}" data-version="{one.made.number}">{pick}<button class="button">{escape(say("published_export"))}</button></form>"""
        form = fold(f"x{of.persona.id}-{one.made.number}", say("published_export_title"), form)
    return (f'<ul class="files">{there}</ul>' if there else "") + form


def _exported(one: Exported, say: Words) -> str:
    fetch = button("fetch", say("published_fetch", size=say.size(one.size)), "arrow_down", export=one.name)
    tools = tool("copy", say("published_copy"), "copy", text=str(one.place))
    tools += tool("remove-export", say("published_remove"), "trash", export=one.name)
    return f"""<li data-key="e{attr(one.name)}"><div class="card-words"><strong>{escape(say(f"published_way_{one.way.replace(':', '_')}"))}</strong><code>{escape(str(one.place))}</code></div>
<div class="card-tools">{fetch if one.fetchable else ""}{tools}</div></li>"""


# ── coming in ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _import(works: Sequence[Job], say: Words) -> str:
    path = line(
        "folder", say("published_path"), hint=say("published_path_hint"), extra='maxlength="4000" spellcheck="false"'
    )
    name = line("persona", say("training_persona"), extra='maxlength="40" required spellcheck="false"')
    base = line(
        "base", say("published_base"), hint=say("published_base_hint"), extra='maxlength="4000" spellcheck="false"'
    )
    pick = button("pick-model", say("published_pick"), "clip")
    return f"""<section class="block coming" data-key="import"><h2>{escape(say("published_import_title"))}</h2><p class="muted">{escape(say("published_import_about"))}</p>{_works(works, "works", say)}
<form class="fields" data-do="import" data-part="import-model"><div class="columns">{name}{path}</div>{fold("import-base", say("training_advanced"), base)}{problem("import")}
<div class="row"><button class="button primary">{escape(say("published_import"))}</button>{pick}<input type="file" accept=".zip,application/zip" data-part="model-file" hidden></div></form></section>"""


# ── what runs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _work(one: Job, say: Words) -> str:
    what = "import" if one.what == "import" else "export"
    name = str(one.about.get("name", ""))
    title = say(f"published_doing_{what}", name=name)
    if one.about.get("way"):
        title += f" · {say('published_way_' + str(one.about['way']).replace(':', '_'))}"
    if one.running:
        share = one.share
        value = "" if share is None else f' value="{share:.3f}"'
        step = say(f"published_step_{one.row['what']}") if "what" in one.row else say("published_step_begin")
        return f"""<div class="job" data-key="w{one.id}">{icon("retry")}<div class="card-words"><strong>{escape(title)}</strong>
<progress max="1"{value} aria-label="{attr(title)}"></progress><small>{escape(step)}</small></div>{tool("end-work", say("published_end"), "close", work=one.id)}</div>"""
    kind, picture = {"done": ("good", "check"), "stopped": ("", "stop")}.get(one.state, ("bad", "warn"))
    if one.state == "failed":
        told = one.failure.said(say.language) if one.failure else say("went_wrong")
    else:
        told = say("published_stopped" if one.state == "stopped" else "published_done_import", name=name)
    return f"""<div class="job {kind}" data-key="w{one.id}">{icon(picture)}<div class="card-words"><strong>{escape(title)}</strong><p>{escape(told)}</p></div>{tool("dismiss-work", say("published_dismiss"), "close", work=one.id)}</div>"""
