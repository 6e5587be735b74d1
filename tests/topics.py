"""In: nothing. Out: a small library on five subjects, a router over it, and what is right of a route it chose.

Used by the tests of the router and by benchmarks/router.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.events import Route, RouteChosen
from assistant.personas.card import Persona
from assistant.routing.corrections import Corrections
from assistant.routing.router import Router
from assistant.tools.tool import ToolError, Work
from knowledge.embedders import Embedder
from knowledge.library import Library
from knowledge.store.database import connect
from tests.pdfs import make_pdf

HELD_OUT = Path(__file__).parent / "data" / "routes-held-out.jsonl"
NOW = datetime(2025, 3, 14, 10, 30, tzinfo=UTC)
PERSONAS = tuple(Persona(name=name) for name in ("Marv", "Nerea", "Professor Oak"))

ANNUAL_REPORT = [
    "Halvorsen Marine: annual report\n\nLetter to shareholders\n\nIt was a good year for our ferries and tankers. "
    "Operating profit rose to 41 million crowns. The board proposes a dividend of 1.20 per share.\n\nIngrid Sole, "
    "chief executive",
    "The fleet\n\nHalvorsen Marine operates 34 vessels: 21 ferries, 9 tankers and 4 tugs. The tanker Solvind was "
    "delivered in 2017. At year end the group had 1,180 employees. The head office is in Bergen.",
    "Results\n\nRevenue was 512 million in 2022 and 468 million in 2021. Ferries brought in 61 per cent of income. "
    "Operating expenses: fuel 120, crews 164, harbour dues 38 million. Earnings per share were 3.4.",
    "Risks\n\nFuel prices are hedged for two quarters. There is no pending litigation of weight. The auditor, Lind & "
    "Partners, signed without reservation. Board: Ingrid Sole, Tor Hauge, Mette Lien.",
]
LEASE = [
    "Contrato de arrendamiento de vivienda\n\nCalle Olmo 14, segundo izquierda. Arrendador: Ramiro Otero. "
    "Arrendataria: Lucía Vidal. La renta mensual es de 850 euros y la fianza de 1.700 euros. El contrato dura "
    "cinco años.",
    "Cláusulas\n\nSe admiten mascotas con permiso escrito. El arrendatario avisará con treinta días antes de dejar el "
    "piso; quien se marche antes de doce meses paga una penalización de una mensualidad. Las reparaciones corren a "
    "cargo del arrendador; los gastos de comunidad, del inquilino.",
]
MANUAL = (
    "# Brewline 300 espresso machine: manual\n\n## Descaling\n\nDescale every two months; the blue light blinks when "
    "it is due. Do not use caramelised or flavoured beans.\n\n## Errors\n\nE4: the pump is blocked. E7: the tank is "
    "empty; it holds 1.8 litres.\n\n## Safety\n\nLet the boiler cool for an hour before cleaning it.\n\n## Warranty\n\n"
    "The pump and the boiler are covered for two years. Espresso is best at 92 degrees.\n"
)
WETLAND = (
    "# El humedal de Lauquén\n\nInforme de la fundación Ribera, redactado por Amalia Ruiz para el ayuntamiento.\n\n"
    "## Censo\n\nEn 2020 se contaron 4.300 flamencos y 87 especies de aves. Las garzas anidan en la orilla "
    "norte.\n\n## "
    "Agua\n\nEl nivel bajó a 1,2 metros en agosto de 2020.\n\n## Plan\n\nSe aprobó un presupuesto de 240.000 "
    "euros para "
    "restaurar el humedal y proteger las garzas con una valla.\n"
)
HANDBOOK = [
    "Staff policy\n\nEmployees have 26 days of annual leave; five may be carried over to March. Sick days need a note "
    "from the third day on. Parental leave lasts 20 weeks. The policy takes effect on 1 January.",
    "Staff work remotely up to three days a week, from abroad at most four weeks a year. Overtime is paid at one and a "
    "half times the hourly rate. A second job needs the consent of the personnel office.",
]


@dataclass(frozen=True, slots=True)
class Routed:
    text: str
    language: str
    wanted: Route
    chosen: RouteChosen
    right: bool  # the route, the tool and the persona
    arguments_right: bool


@contextmanager
def router(home: Path, embedder: Embedder, *, empty: bool = False) -> Iterator[Router]:
    """Over five documents, or none."""
    home.mkdir(parents=True, exist_ok=True)
    engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")
    library = Library.open(home, engine, lambda: embedder)
    try:
        if not empty:
            stock(library, home)
        yield Router(library, lambda: embedder, Corrections(engine), lambda: PERSONAS)
    finally:
        library.close()
        engine.dispose()


def stock(library: Library, folder: Path) -> None:
    (folder / "brewline.md").write_text(MANUAL, encoding="utf-8")
    (folder / "humedal.md").write_text(WETLAND, encoding="utf-8")
    files = [
        make_pdf(folder / "halvorsen.pdf", ANNUAL_REPORT),
        make_pdf(folder / "arrendamiento.pdf", LEASE),
        make_pdf(folder / "policy.pdf", HANDBOOK),
        folder / "brewline.md",
        folder / "humedal.md",
    ]
    for file in files:
        assert list(library.add(file))[-1].status.searchable


def read(file: Path = HELD_OUT) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]


def routed(row: Mapping[str, Any], chosen: RouteChosen) -> Routed:
    wanted = Route(row["route"])
    right = chosen.route is wanted and chosen.tool == row.get("tool", "") and chosen.persona == row.get("persona", "")
    arguments = right and (wanted is not Route.TOOL or same(chosen, row["arguments"], row["language"]))
    return Routed(row["text"], row["language"], wanted, chosen, right, arguments)


def same(chosen: RouteChosen, arguments: Mapping[str, Any], language: str) -> bool:
    """Does the tool give the same for what was read as for what was meant?"""
    given = chosen.arguments
    if chosen.tool == "web_page":
        return bool(given["url"].rstrip("/") == arguments["url"].rstrip("/"))
    if chosen.tool == "web_search":
        return _searches(given["query"], arguments["query"])
    try:
        return bool(_result(chosen.tool, given, language) == _result(chosen.tool, arguments, language))
    except ToolError:
        return False


def _searches(query: str, wanted: str) -> bool:
    """Holds every word that matters, and none that only says to search."""
    words, needed = (re.findall(r"\w+", text.casefold()) for text in (query, wanted))
    idle = {"search", "busca", "búscame", "googlea", "google", "internet", "web", "online", "red"}
    return set(needed) <= set(words) and not idle & set(words) - set(needed) and len(words) <= len(needed) + 5


def _result(tool: str, arguments: Mapping[str, Any], language: str) -> Any:
    work = Work(language=language, now=NOW)
    if tool == "calculator":
        from assistant.tools.calculator import calculate

        return round(float(calculate(str(arguments["expression"]), "en").value), 9)
    if tool == "convert":
        from assistant.tools.convert import Convert
        from assistant.tools.convert import run as converted

        return round(converted(Convert(**arguments), work).value["result"], 3)
    from assistant.tools.clock import Clock
    from assistant.tools.clock import run as told

    return told(Clock(**arguments), work).value
