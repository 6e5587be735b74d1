"""In: a draft, its frozen examples. Out: the card of a version: where it comes from, as JSON and as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from assistant.store.transactions import now
from tuning.datasets.values import Dataset, Stored

FORMAT = "afina-dataset/1"


def card(
    dataset: Dataset, number: int, fingerprint: str, chosen: Iterable[tuple[str, Stored]], made_of: Mapping[str, Any]
) -> dict[str, Any]:
    """{format, name, number, fingerprint, created_at, note, licence, split, counts, sources, filters, cleaning}"""
    sides, kinds, languages, origins, hows, personas, models, names = (Counter[str]() for _ in range(8))
    found, untrusted, characters, total = Counter[str](), Counter[str](), 0, 0
    for side, one in chosen:
        source = one.example.source
        total += 1
        characters += one.characters
        sides[side] += 1
        kinds[one.example.kind.value] += 1
        languages[one.language or "other"] += 1
        origins[source.origin] += 1
        names[source.name or source.origin] += 1
        for counter, value in ((hows, source.how), (personas, source.persona), (models, source.model)):
            if value:
                counter[value] += 1
        untrusted.update(source.untrusted)
        found.update({finding["code"] for finding in one.findings or ()})
    return {
        "format": FORMAT,
        "name": dataset.name,
        "number": number,
        "fingerprint": fingerprint,
        "created_at": now().isoformat(timespec="seconds"),
        "note": dataset.note,
        "licence": dataset.licence,
        "split": {**_plain(sides), **{name: made_of[name] for name in ("seed", "share") if name in made_of}},
        "counts": {
            "examples": total,
            "characters": characters,
            "kinds": _plain(kinds),
            "languages": _plain(languages),
        },
        "sources": {
            "origins": _plain(origins),
            "names": _plain(names, 50),
            "how": _plain(hows),
            "personas": _plain(personas),
            "models": _plain(models),
            "untrusted": _plain(untrusted),
        },
        "filters": [dict(step) for step in dataset.recipe],
        "cleaning": {
            "dropped": dataset.dropped,
            "left_in_draft": dataset.draft,
            "findings_kept": _plain(found),
            **{name: value for name, value in made_of.items() if name not in ("seed", "share")},
        },
    }


def markdown(card: Mapping[str, Any]) -> str:
    """The card for people: the README of an exported folder."""
    split, counts, sources = card["split"], card["counts"], card["sources"]
    lines = [
        f"# {card['name']}, version {card['number']}",
        "",
        card["note"] or "No note.",
        "",
        f"- Fingerprint: `{card['fingerprint']}`",
        f"- Made: {card['created_at']}",
        f"- Licence: {card['licence'] or 'none stated'}",
        f"- Examples: {counts['examples']:,} ({_listed(counts['kinds'])})",
        f"- Split: {split.get('train', 0):,} to train, {split.get('validation', 0):,} to validate; "
        f"by conversation, seed {split.get('seed')}",
        f"- Languages: {_listed(counts['languages'])}",
        f"- Sources: {_listed(sources['origins'])}",
    ]
    for title, name in (("Why they are data", "how"), ("Personas", "personas"), ("Models", "models")):
        if sources.get(name):
            lines.append(f"- {title}: {_listed(sources[name])}")
    lines += ["", "## How it was gathered", ""]
    lines += [f"- {_step(step)}" for step in card["filters"]] or ["- By hand."]
    lines += ["", "## Cleaning", ""]
    lines += [f"- {name.replace('_', ' ')}: {_value(value)}" for name, value in card["cleaning"].items()]
    return "\n".join(lines) + "\n"


def _plain(counter: Counter[str], most: int | None = None) -> dict[str, int]:
    return dict(counter.most_common(most))


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"


def _step(step: Mapping[str, Any]) -> str:
    more = ", ".join(f"{name} {_value(value)}" for name, value in step.items() if name not in ("what", "at"))
    return f"{step.get('at', '')} {step.get('what', '')}: {more}".strip()


def _value(value: Any) -> str:
    return (
        _listed(value)
        if isinstance(value, Mapping) and all(isinstance(one, int) for one in value.values())
        else str(value)
    )
