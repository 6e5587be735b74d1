"""In: a code. Out: Check, what it means and what follows from it; Finding, one place where it holds.

    Finding("email", "turns.0.text", 12, 27, "a…@example.com").said("es")
    → "Una dirección de correo: a…@example.com."

CHECKS is the table that a page lists: every code, how grave it is, whether such examples stay out of a dataset unless
someone says otherwise, and whether `review.mend` can put it right. Knows nothing of how anything is found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Severity = Literal["error", "warning"]


class Mend(StrEnum):
    NONE = ""  # a person decides
    REPLACE = "replace"  # by a placeholder
    BREAK_UP = "break_up"  # with a space, so that no tokenizer reads it as a sign of its own
    CUT = "cut"  # back to what came before it
    STRIP = "strip"  # taken out


@dataclass(frozen=True, slots=True)
class Check:
    severity: Severity
    excluded: bool  # by default, until it is mended or let pass
    mend: Mend
    title: tuple[str, str]  # as a heading with a count: English, Spanish
    sentence: tuple[str, str]  # of one place; {shown} is what stands there
    many: bool = False  # of several examples at once: told by duplicates, contradictions, leakage


_OUT, _IN = True, False

CHECKS: dict[str, Check] = {
    # personal data and secrets: the codes are personal.KINDS
    "email": Check("error", _OUT, Mend.REPLACE, ("E-mail addresses", "Direcciones de correo"),
                   ("An e-mail address: {shown}.", "Una dirección de correo: {shown}.")),
    "phone": Check("error", _OUT, Mend.REPLACE, ("Telephone numbers", "Números de teléfono"),
                   ("A telephone number: {shown}.", "Un número de teléfono: {shown}.")),
    "card": Check("error", _OUT, Mend.REPLACE, ("Payment cards", "Tarjetas de pago"),
                  ("A payment card: {shown}.", "Una tarjeta de pago: {shown}.")),
    "iban": Check("error", _OUT, Mend.REPLACE, ("Bank accounts", "Cuentas bancarias"),
                  ("A bank account (IBAN): {shown}.", "Una cuenta bancaria (IBAN): {shown}.")),
    "national_id": Check("error", _OUT, Mend.REPLACE, ("Identity numbers", "Números de identidad"),
                         ("An identity, tax or social security number: {shown}.",
                          "Un número de identidad, fiscal o de la seguridad social: {shown}.")),
    "ip": Check("error", _OUT, Mend.REPLACE, ("Internet addresses", "Direcciones de internet"),
                ("A public internet address: {shown}.", "Una dirección de internet pública: {shown}.")),
    "key": Check("error", _OUT, Mend.REPLACE, ("Keys and tokens", "Claves y tokens"),
                 ("A key or token: {shown}. If it is real, revoke it.",
                  "Una clave o un token: {shown}. Si es de verdad, revócalo.")),
    "password": Check("error", _OUT, Mend.REPLACE, ("Passwords", "Contraseñas"),
                      ("A password: {shown}. If it is real, change it.",
                       "Una contraseña: {shown}. Si es de verdad, cámbiala.")),
    "name": Check("warning", _IN, Mend.REPLACE, ("People's names", "Nombres de personas"),
                  ("A person's name: {shown}.", "El nombre de una persona: {shown}.")),
    # answers
    "empty": Check("error", _OUT, Mend.NONE, ("Empty answers", "Respuestas vacías"),
                   ("The answer is empty: write one or drop the example.",
                    "La respuesta está vacía: escribe una o quita el ejemplo.")),
    "nothing_learned": Check("error", _OUT, Mend.NONE, ("Nothing to learn", "Nada que aprender"),
                             ("All its answers are masked: a model would learn nothing from it.",
                              "Todas sus respuestas están enmascaradas: un modelo no aprendería nada.")),
    "cut_off": Check("warning", _OUT, Mend.CUT, ("Answers cut off", "Respuestas cortadas"),
                     ("The answer stops in the middle: “{shown}”.", "La respuesta se corta a la mitad: «{shown}».")),
    "unfinished": Check("error", _OUT, Mend.NONE, ("Unfinished answers", "Respuestas sin terminar"),
                        ("The answer was stopped or failed while it was written.",
                         "La respuesta se detuvo o falló mientras se escribía.")),
    "refusal": Check("warning", _IN, Mend.NONE, ("Refusals", "Negativas"),
                     ("The answer refuses: “{shown}”. Keep it only if that is to be learned.",
                      "La respuesta se niega: «{shown}». Déjala solo si es lo que se quiere enseñar.")),
    "abstention": Check("warning", _IN, Mend.NONE, ("“Not in the documents”", "«No está en los documentos»"),
                        ("The answer says that it does not know: “{shown}”.",
                         "La respuesta dice que no lo sabe: «{shown}».")),
    "special_tokens": Check("error", _OUT, Mend.BREAK_UP, ("Special tokens in text", "Tokens especiales en el texto"),
                            ("{shown} is a sign of the chat template: a model would read it as one.",
                             "{shown} es un signo de la plantilla de chat: un modelo lo leería como tal.")),
    "echo": Check("error", _OUT, Mend.NONE, ("Answers that repeat the question", "Respuestas que repiten la pregunta"),
                  ("The answer only says the question again.", "La respuesta solo repite la pregunta.")),
    "loop": Check("error", _OUT, Mend.CUT, ("Answers that go round in circles", "Respuestas que dan vueltas"),
                  ("The answer repeats itself: “{shown}”.", "La respuesta se repite: «{shown}».")),
    "wrong_language": Check("warning", _OUT, Mend.NONE, ("Answers in another language", "Respuestas en otro idioma"),
                            ("The answer is not in the language of the question.",
                             "La respuesta no está en el idioma de la pregunta.")),
    "untrusted": Check("error", _OUT, Mend.NONE, ("Text of strangers", "Texto ajeno"),
                       ("It holds text of others ({shown}), which nobody has checked and which may give orders.",
                        "Contiene texto de otros ({shown}), que nadie ha comprobado y que puede dar órdenes.")),
    "citations": Check("warning", _IN, Mend.STRIP, ("Marks without passages", "Marcas sin pasajes"),
                       ("{shown} refers to a passage that is not in the example: a model would learn to invent marks.",
                        "{shown} remite a un pasaje que no está en el ejemplo: se aprendería a inventar marcas.")),
    "persona": Check("warning", _OUT, Mend.NONE, ("Another voice's words", "Palabras de otra voz"),
                     ("“{shown}” belongs to another speaker than this answer's.",
                      "«{shown}» es de otra voz, no de la que contesta.")),
    "equal_answers": Check("error", _OUT, Mend.NONE, ("Answers that are the same", "Respuestas iguales"),
                           ("Two of the answers to compare say the same: there is nothing to prefer.",
                            "Dos de las respuestas que se comparan dicen lo mismo: no hay nada que preferir.")),
    # between examples
    "duplicate": Check("error", _OUT, Mend.NONE, ("Duplicates", "Duplicados"),
                       ("The same example is already there.", "El mismo ejemplo ya está."), many=True),
    "near_duplicate": Check("warning", _OUT, Mend.NONE, ("Near duplicates", "Casi duplicados"),
                            ("Nearly the same words are already there.", "Ya están casi las mismas palabras."),
                            many=True),
    "contradiction": Check("warning", _IN, Mend.NONE,
                           ("Different answers to one question", "Respuestas distintas a una pregunta"),
                           ("The same question has another answer elsewhere.",
                            "La misma pregunta tiene otra respuesta en otro ejemplo."), many=True),
    "preference_cycle": Check("error", _OUT, Mend.NONE, ("Preferences in a circle", "Preferencias en círculo"),
                              ("Elsewhere the other answer is preferred.",
                               "En otro ejemplo se prefiere la otra respuesta."), many=True),
    "leak": Check("error", _OUT, Mend.NONE, ("In training and validation", "En entrenamiento y validación"),
                  ("It stands on both sides of the split.", "Está en los dos lados de la división."), many=True),
}  # fmt: skip

EXCLUDED = frozenset(code for code, check in CHECKS.items() if check.excluded)


@dataclass(frozen=True, slots=True)
class Finding:
    code: str  # of CHECKS
    field: str = ""  # where in the example: "turns.1.text", "answers.0.turns.0.text"; "": all of it
    start: int = 0  # in the field's text
    end: int = 0
    shown: str = ""  # what stands there, shortened; a secret is masked

    @property
    def severity(self) -> Severity:
        return CHECKS[self.code].severity

    def said(self, language: str) -> str:
        return CHECKS[self.code].sentence[language == "es"].format(shown=self.shown)


def title(code: str, language: str) -> str:
    return CHECKS[code].title[language == "es"]


def stays_out(findings: Iterable[Finding], exclusions: Collection[str] = EXCLUDED) -> bool:
    """Whether an example with these findings is left out of a dataset."""
    return any(finding.code in exclusions for finding in findings)


def short(text: str, length: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
