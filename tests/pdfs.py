"""In: text per page. Out: real PDF files, made with reportlab. Knows nothing of the code under test.

`handbook()` is the document of the whole trip: thirty pages about an invented company, each fact on a known page.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen import canvas


def make_pdf(
    path: Path,
    pages: Sequence[str],
    *,
    password: str | None = None,
    rotate: int = 0,
    size: tuple[float, float] = A4,
    font: str = "Helvetica",
    leading: float = 14.0,  # points
) -> Path:
    """Write `pages`, one string each, its line breaks kept; long lines are wrapped at 95 characters."""
    drawing = canvas.Canvas(str(path), pagesize=size, encrypt=password)
    for text in pages:
        if rotate:
            drawing.setPageRotation(rotate)
        drawing.setFont(font, 10)
        y = size[1] - 25 * mm
        for line in _wrapped(text, 95):
            drawing.drawString(20 * mm, y, line)
            y -= leading
        drawing.showPage()
    drawing.save()
    return path


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            if line and len(line) + 1 + len(word) > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines.append(line)
    return lines


# What can be asked of the handbook: question, the words that must be in the answer, the page (from 1) that holds them.
FACTS_EN = [
    ("How many wind turbines does Brenmoor Energy operate?", "212", 7),
    ("Who founded Brenmoor Energy?", "Ottoline Farrow", 2),
    ("What is the capacity of the Tarn Hill battery?", "48 megawatt hours", 19),
    ("When did the Kestrel Bay plant open?", "14 March 2016", 12),
]
FACTS_ES = [
    ("¿Cuántos aerogeneradores opera Energía Valdelmar?", "187", 3),
    ("¿Quién dirige el laboratorio de Almenara?", "Inés Cardona", 5),
]

_FILLER_EN = [
    "Maintenance crews inspect every site twice a year and record the state of bearings, cables and foundations.",
    "The procurement team compares at least three offers before it signs a contract with a new supplier.",
    "Safety training is renewed each spring, and visitors wear a helmet and high-visibility clothing at all times.",
    "Customers can read their meters on the telephone or by letter; complaints are answered within ten working days.",
    "The finance department closes the books on the fifth working day of the month and reports to the board.",
    "Noise near homes is measured at night, and blades are slowed down whenever the agreed level is exceeded.",
]
_FILLER_ES = [
    "Los equipos de mantenimiento revisan cada parque dos veces al año y anotan el estado de los rodamientos.",
    "El departamento de compras compara al menos tres ofertas antes de firmar un contrato con un proveedor nuevo.",
    "La formación en seguridad se renueva cada primavera y los visitantes llevan casco en todo momento.",
    "Las reclamaciones de los clientes se contestan en un plazo de diez días laborables.",
]
_PLACED_EN = {
    2: "Brenmoor Energy was founded by Ottoline Farrow, an engineer from Whitby, after the floods of 1998.",
    7: "Today Brenmoor Energy operates 212 wind turbines along the northern coast.",
    12: "The Kestrel Bay plant opened on 14 March 2016 and employs ninety people.",
    19: "The Tarn Hill battery has a capacity of 48 megawatt hours, enough for the village during a winter night.",
}
_PLACED_ES = {
    3: "Energía Valdelmar opera 187 aerogeneradores en la costa del sur.",
    5: "El laboratorio de Almenara está dirigido por Inés Cardona desde 2011.",
}


def handbook(path: Path, *, pages: int = 30, language: str = "en") -> Path:
    """Thirty pages of plausible prose with the facts above on their pages."""
    filler, placed = (_FILLER_EN, _PLACED_EN) if language == "en" else (_FILLER_ES, _PLACED_ES)
    title = "Brenmoor Energy: staff handbook" if language == "en" else "Energía Valdelmar: manual del personal"
    texts = []
    for number in range(1, pages + 1):
        body = [filler[(number + i) % len(filler)] for i in range(len(filler) - 1)]
        if number in placed:
            body.insert(2, placed[number])
        texts.append(f"{title}\n\nSection {number}\n\n" + "\n\n".join(body))
    return make_pdf(path, texts)
