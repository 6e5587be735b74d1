"""In: values, words. Out: the small parts that the tabs are made of: buttons, fields, counts, times. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from urllib.parse import urlencode

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words

Options = Iterable[tuple[str, str]]  # (value, title)


def attr(text: object) -> str:
    return escape(str(text), quote=True)


def counted(say: Words, key: str, n: int, **values: object) -> str:
    """A sentence with a number in it: "1 example", "1,234 examples"."""
    return say(f"{key}_one" if n == 1 and f"{key}_one" in say.sentences else key, n=say.number(n), **values)


def named(say: Words, family: str, value: str) -> str:
    """What a value of the data is called: `datasets_kind_score`; one that has no word stands as it is."""
    return say.sentences.get(f"datasets_{family}_{value.replace('-', '_').replace(' ', '_')}", value)


def button(do: str, label: str, picture: str = "", *, kind: str = "", **data: object) -> str:
    """`kind`: "primary", "quiet", "danger" or nothing; `data`: data-… of it; `disabled=True`, `title=…` as they are."""
    more = _attributes(data)
    drawing = icon(picture) if picture else ""
    return f'<button type="button" class="{f"button {kind}".strip()}" data-do="{do}"{more}>{drawing}<span>{escape(label)}</span></button>'


def tool(do: str, label: str, picture: str, **data: object) -> str:
    """A button that is only a picture."""
    return f'<button type="button" class="tool" data-do="{do}" aria-label="{attr(label)}" title="{attr(label)}"{_attributes(data)}>{icon(picture)}</button>'


def link(label: str, at: Mapping[str, object], *, classes: str = "", current: bool = False, extra: str = "") -> str:
    """To another place of this page, by its address; the script goes there without loading the page again."""
    here = ' aria-current="page"' if current else ""
    return f'<a class="{classes}" href="{attr(address(at))}" data-do="to"{here}{extra}>{label}</a>'


def address(at: Mapping[str, object]) -> str:
    given = {name: value for name, value in at.items() if value not in ("", 0, None)}
    return "/?" + urlencode({"view": "datasets", **given})


def train(dataset: int, version: int, say: Words) -> str:
    """To the training page, whose form then has this version chosen."""
    there = f"/?view=training&amp;new=1&amp;data={dataset}:{version}"
    return f'<a class="button quiet" href="{there}">{escape(say("datasets_train"))}</a>'


def select(name: str, label: str, options: Options, chosen: str = "", *, hint: str = "") -> str:
    return f"""<label class="field"><span>{escape(label)}</span><select class="input" data-field="{name}">{choices(options, chosen)}</select>{_hint(hint)}</label>"""


def choices(options: Options, chosen: str = "") -> str:
    return "".join(
        f'<option value="{attr(value)}"{" selected" if value == chosen else ""}>{escape(title)}</option>'
        for value, title in options
    )


def line(name: str, label: str, value: object = "", *, kind: str = "text", hint: str = "", extra: str = "") -> str:
    """`kind`: as the script reads it: text, number, date."""
    box = {"text": "text", "number": "number", "date": "date"}[kind]
    return f"""<label class="field"><span>{escape(label)}</span><input class="input" type="{box}" data-field="{name}" data-kind="{kind}" value="{attr(value)}" autocomplete="off" {extra}>{_hint(hint)}</label>"""


def area(name: str, label: str, value: str = "", *, rows: int = 3, hint: str = "", extra: str = "") -> str:
    return f"""<label class="field"><span>{escape(label)}</span><textarea class="input" rows="{rows}" data-field="{name}" {extra}>
{escape(value)}</textarea>{_hint(hint)}</label>"""


def check(name: str, label: str, on: bool = False, hint: str = "") -> str:
    return f"""<label class="check"><input type="checkbox" data-field="{name}" data-kind="yes"{" checked" if on else ""}><span>{escape(label)}{_hint(hint)}</span></label>"""


def radios(name: str, options: Iterable[tuple[str, str, str]], chosen: str, label: str) -> str:
    """`options`: (value, title, what it means)."""
    boxes = "".join(
        f"""<label class="pick"><input type="radio" name="{name}" data-field="{name}" value="{attr(value)}"{" checked" if value == chosen else ""}>
<span><strong>{escape(title)}</strong><small>{escape(about)}</small></span></label>"""
        for value, title, about in options
    )
    return f'<fieldset class="picks"><legend>{escape(label)}</legend>{boxes}</fieldset>'


def tag(text: str, kind: str = "", title: str = "") -> str:
    told = f' title="{attr(title)}"' if title else ""
    return f'<span class="{f"tag {kind}".strip()}"{told}>{escape(text)}</span>'


def when(time: datetime | str) -> str:
    """In the machine's own time: app and browser are at home on one."""
    moment = datetime.fromisoformat(time) if isinstance(time, str) else time
    return f'<time datetime="{attr(moment.isoformat())}">{moment.astimezone():%Y-%m-%d %H:%M}</time>'


def problem(name: str) -> str:
    return f'<p class="state bad" role="alert" data-problem="{name}" hidden></p>'


def section(title: str, body: str, *, about: str = "", key: str = "") -> str:
    keyed = f' data-key="{key}"' if key else ""
    told = f'<p class="muted">{escape(about)}</p>' if about else ""
    return f'<section class="block"{keyed}><h2>{escape(title)}</h2>{told}{body}</section>'


def hint_box(title: str, text: str, actions: str = "", picture: str = "info") -> str:
    """Where there is nothing: what to do about it."""
    row = f'<div class="row">{actions}</div>' if actions else ""
    return f'<div class="blank">{icon(picture)}<h2>{escape(title)}</h2><p>{escape(text)}</p>{row}</div>'


def _hint(text: str) -> str:
    return f"<small>{escape(text)}</small>" if text else ""


def _attributes(data: Mapping[str, object]) -> str:
    more = ""
    for name, value in data.items():
        plain = name.replace("_", "-")
        if name == "disabled":
            more += " disabled" if value else ""
        elif name in ("title", "form"):
            more += f' {plain}="{attr(value)}"' if value else ""
        else:
            more += f' data-{plain}="{attr(value)}"'
    return more
