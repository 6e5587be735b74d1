"""In: where something could not be read, and why. Out: a Skipped, which says so in English or Spanish.

`whole`: nothing of that row or conversation came in. Otherwise it did come in, with a part missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_SENTENCES: dict[str, tuple[str, str]] = {
    # the file
    "cut": (
        "The file ends in the middle: it was cut off here. What came before was read; download or export it again for "
        "the rest.",
        "El archivo termina a la mitad: está cortado aquí. Se leyó lo anterior; descárgalo o expórtalo otra vez para "
        "tener el resto.",
    ),
    "broken": (
        "This is not valid JSON. Reading went on at the next row.",
        "Esto no es JSON válido. La lectura siguió en la fila siguiente.",
    ),
    "broken_rest": (
        "This is not valid JSON, and no further row could be found after it: what comes after was not read.",
        "Esto no es JSON válido y después no se encontró ninguna otra fila: lo que sigue no se leyó.",
    ),
    "too_long": (
        "This row is longer than {limit} million characters and was left out.",
        "Esta fila tiene más de {limit} millones de caracteres y se dejó fuera.",
    ),
    "too_deep": (
        "Objects stand inside each other too deeply here; the row was left out.",
        "Aquí hay demasiados objetos unos dentro de otros; la fila se dejó fuera.",
    ),
    "bomb": (
        "This archive unpacks to far more than any export holds, so reading stopped here.",
        "Este archivo comprimido ocupa al abrirse mucho más que cualquier exportación; la lectura se detuvo aquí.",
    ),
    "member": (
        "This file inside the archive is damaged, or packed in a way that cannot be read. Unpack it and import "
        "the file by itself.",
        "Este archivo de dentro está dañado o comprimido de una forma que no se puede leer. Descomprímelo e importa el "
        "archivo suelto.",
    ),
    "unknown": (
        "This file inside the archive is none of the kinds that can be imported.",
        "Este archivo dentro del comprimido no es de ninguno de los tipos que se pueden importar.",
    ),
    "replaced": (
        "Some letters here could not be read and stand as �. Save the file as UTF-8 and import it again to have them.",
        "Algunas letras de aquí no se pudieron leer y están como �. Guarda el archivo en UTF-8 e impórtalo otra vez "
        "para tenerlas.",
    ),
    # a row
    "not_object": (
        "This is JSON, but no object: a row has to be {{…}}.",
        "Esto es JSON, pero no un objeto: una fila tiene que ser {{…}}.",
    ),
    "shape": ("{reason}", "{reason_es}"),
    "columns": (
        "This row has {found} columns where the first line names {expected}: it was left out.",
        "Esta fila tiene {found} columnas y la primera línea nombra {expected}: se dejó fuera.",
    ),
    "cell": ("The cell “{column}” is empty.", "La celda «{column}» está vacía."),
    "table": (
        "This row cannot be read as a table's: a quotation mark is missing, perhaps. Reading went on after it.",
        "Esta fila no se puede leer como la de una tabla: quizá falta una comilla. La lectura siguió después.",
    ),
    "outside": (
        "The text before the first question belongs to none and was left out.",
        "El texto anterior a la primera pregunta no es de ninguna y se dejó fuera.",
    ),
    "same": (
        "The better and the worse answer are the same text.",
        "La respuesta mejor y la peor son el mismo texto.",
    ),
    # a conversation
    "silent": ("Nothing was said in this conversation.", "En esta conversación no se dijo nada."),
    "no_answer": ("This conversation holds no answer.", "Esta conversación no tiene ninguna respuesta."),
    "no_question": ("This answer belongs to no question.", "Esta respuesta no es de ninguna pregunta."),
    "unanswered": (
        "Its last question has no answer and was left out.",
        "La última pregunta no tiene respuesta y se dejó fuera.",
    ),
    "opening": (
        "What the assistant said before the first question was left out.",
        "Lo que dijo el asistente antes de la primera pregunta se dejó fuera.",
    ),
    "part": (
        "Not in the export: pictures, sounds or files ({count}). The answers to messages that had one stay, but are "
        "not learned from.",
        "No están en la exportación: imágenes, sonidos o archivos ({count}). Las respuestas a los mensajes que los "
        "tenían se quedan, pero no se aprende de ellas.",
    ),
    "picture": (
        "One message is only a picture, sound or file that is not in the export: the conversation was read up to it.",
        "Un mensaje es solo una imagen, un sonido o un archivo que no está en la exportación: la conversación se leyó "
        "hasta ahí.",
    ),
    "unseen": (
        "All of this conversation is about pictures, sounds or files that are not in the export.",
        "Toda esta conversación trata de imágenes, sonidos o archivos que no están en la exportación.",
    ),
    "tool": (
        "Calls of tools and their results were left out ({count}); the answers after them stay.",
        "Se dejaron fuera llamadas a herramientas y sus resultados ({count}); las respuestas que siguen se quedan.",
    ),
    "unfinished": (
        "An answer was broken off while it was written: it stays, but is not learned from.",
        "Una respuesta se interrumpió mientras se escribía: se queda, pero no se aprende de ella.",
    ),
    "unfinished_all": (
        "Every answer in this conversation was broken off while it was written.",
        "Todas las respuestas de esta conversación se interrumpieron mientras se escribían.",
    ),
    "loop": (
        "The messages point at each other in a circle: the conversation was read from there on.",
        "Los mensajes se señalan unos a otros en círculo: la conversación se leyó desde ahí.",
    ),
}

CODES = tuple(_SENTENCES)


@dataclass(frozen=True, slots=True)
class Skipped:
    line: int | None  # of the file, from 1; None where a line says nothing, as in one long JSON array
    where: str  # for a person: "#12 “Trip to Rome”", with the file in front where there are several
    code: str  # one of CODES
    values: Mapping[str, str | int] = field(default_factory=dict, hash=False)
    whole: bool = True

    def said(self, language: str) -> str:
        english, spanish = _SENTENCES[self.code]
        return (spanish if language == "es" else english).format(**self.values)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in an import something stands: the row or conversation, counted from 1 in its file."""

    index: int
    line: int | None = None
    file: str = ""  # inside an archive with several
    title: str = ""

    @property
    def where(self) -> str:
        title = " ".join(self.title.split())
        short = title if len(title) <= _TITLE else title[: _TITLE - 1] + "…"
        return " ".join(part for part in (self.file, f"#{self.index}", f"“{short}”" if short else "") if part)

    def skipped(self, code: str, *, whole: bool = True, **values: str | int) -> Skipped:
        return Skipped(self.line, self.where, code, values, whole)


_TITLE = 60  # characters of a title that a list of skipped rows shows
