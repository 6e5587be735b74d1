"""In: the state of the app's own key. Out: the HTML by which a person lets other programs in. Pure.

The key itself is shown once, when it is made: `made`. What stays is its mask.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words


def section(say: Words) -> str:
    """Where the app is, the browser knows: it fills in the base address."""
    return f"""<section aria-labelledby="models-programs"><h2 id="models-programs">{escape(say("programs"))}</h2>
<p class="muted">{escape(say("programs_about"))} {escape(say("programs_base"))} <code data-part="base"></code></p>
<div data-region="programs" aria-live="polite"></div><div data-region="made" aria-live="polite"></div></section>"""


def state(shown: Mapping[str, str] | None, say: Words) -> str:
    """`shown`: {"masked", "created_at"}; None: closed."""
    if shown is None:
        said = f"<strong>{escape(say('programs_off'))}</strong>"
        buttons = f'<button class="button" data-do="let-in">{escape(say("programs_new"))}</button>'
    else:
        said = f"""<strong>{escape(say("programs_on"))}</strong>
<small><code>{escape(shown["masked"])}</code> · {escape(say("programs_since", date=shown["created_at"][:10]))}</small>"""
        close = escape(say("programs_close"), quote=True)
        buttons = f"""<button class="button" data-do="let-in" data-again="yes">{escape(say("programs_again"))}</button>
<button class="tool" data-do="shut-out" aria-label="{close}" title="{close}">{icon("trash")}</button>"""
    return f"""<ul class="cards"><li class="card" data-key="programs"><div class="card-words">{said}</div>
<div class="card-tools">{buttons}</div></li></ul>"""


def made(key: str, say: Words) -> str:
    return f"""<p class="state fair">{escape(say("programs_once"))}</p><div class="models-line">
<input class="input" readonly data-part="made" value="{escape(key, quote=True)}" aria-label="{escape(say("models_key"), quote=True)}">
<button class="button" data-do="copy-made">{escape(say("copy"))}</button></div>"""
