"""ask_persona: a question to one of the person's personas, answered in its voice.

In: the persona's name, the question. Out: its answer. Who the personas are and how they speak, the turn lends.
"""

from __future__ import annotations

from pydantic import Field

from assistant.tools.tool import Arguments, Result, Tool, ToolError, Work


class AskPersona(Arguments):
    name: str = Field(description="The persona's name, e.g. Marv.", max_length=64)
    question: str = Field(description="What to ask it; it knows nothing of this conversation.", max_length=8_000)


def run(given: AskPersona, work: Work) -> Result:
    if work.ask_persona is None:
        raise ToolError("No persona can be asked here.", spanish="Desde aquí no se puede preguntar a un personaje.")
    if not given.name.strip() or not given.question.strip():
        raise ToolError(
            "A persona needs a name and a question.", spanish="Hace falta el nombre de la persona y una pregunta."
        )
    answer = work.ask_persona(given.name.strip().lstrip("@"), given.question)
    return Result(text=answer, spoken=answer, value=answer)


TOOL = Tool(
    name="ask_persona",
    title={"en": "Ask a persona", "es": "Preguntar a un personaje"},
    description="Asks one of the personas, by name, and returns its answer in its own voice.",
    arguments=AskPersona,
    run=run,
)
