"""In: a code and a language. Out: what was lost, why an example cannot be written, what is wrong with a row."""

from __future__ import annotations

from assistant.sentences import Say, speaker

LOSSES: dict[str, tuple[str, str]] = {
    "tags": ("Tags are not in this format.", "Las etiquetas no existen en este formato."),
    "provenance": (
        "Where the example comes from is not in this format.",
        "La procedencia del ejemplo no existe en este formato.",
    ),
    "scores": ("Scores are not in this format.", "Las puntuaciones no existen en este formato."),
    "masks": (
        "Masks of single turns are not in this format: the whole conversation is learned as the trainer does.",
        "Este formato no enmascara turnos sueltos: se aprende toda la conversación, como haga el entrenador.",
    ),
    "split": (
        "One row for each turn that is learned, with what came before as its prompt.",
        "Una fila por cada turno que se aprende, con lo anterior como contexto.",
    ),
    "unprompted": (
        "An answer with nothing before it is left out: this format needs a prompt.",
        "Una respuesta sin nada delante se omite: este formato necesita un contexto.",
    ),
    "other_answers": (
        "Only the best answer is written: the others are left out.",
        "Solo se escribe la mejor respuesta; las demás se omiten.",
    ),
    "ranking": (
        "The ranking is written as pairs, the preferred answer first.",
        "La clasificación se escribe en pares, con la respuesta preferida delante.",
    ),
    "unranked": ("Answers without a rank are left out.", "Las respuestas sin orden se omiten."),
    "likes": (
        "Ranks are written as likes and dislikes: the best answers yes, the worst no.",
        "El orden se escribe como gustos: las mejores respuestas sí, las peores no.",
    ),
    "middle": (
        "Answers between the best and the worst are left out: they are neither liked nor disliked.",
        "Las respuestas entre la mejor y la peor se omiten: ni gustan ni disgustan.",
    ),
    "tools": ("The list of tools is not in this format.", "La lista de herramientas no existe en este formato."),
    "tool_fields": (
        "Fields of a tool besides its name, description and parameters are not in this format.",
        "De una herramienta, este formato solo guarda el nombre, la descripción y los parámetros.",
    ),
    "call_ids": (
        "The ids of tool calls are not kept: calls and answers are matched by order.",
        "Los identificadores de las llamadas no se conservan: llamadas y respuestas se emparejan por orden.",
    ),
    "tool_names": (
        "A tool's answer carries the name of the call that it answers.",
        "La respuesta de una herramienta lleva el nombre de la llamada a la que responde.",
    ),
    "tool_order": (
        "The answers of tools are put in the order of their calls.",
        "Las respuestas de las herramientas se ponen en el orden de sus llamadas.",
    ),
    "names": (
        "A participant's name is not in this format, or not as it is spelled.",
        "El nombre de un participante no existe en este formato, o no así escrito.",
    ),
    "spelling": (
        "A tool's arguments or answer are written as the same JSON, with other spaces or escapes.",
        "Los argumentos o la respuesta de una herramienta se escriben como el mismo JSON, con otros espacios.",
    ),
    "turns": (
        "Turns of one side that follow each other are written as one.",
        "Los turnos seguidos de una misma parte se escriben como uno.",
    ),
    "roles": (
        "Who said what before the answer is written as one text.",
        "Quién dijo qué antes de la respuesta se escribe como un solo texto.",
    ),
}

REASONS: dict[str, tuple[str, str]] = {
    "kind": (
        "{format} does not take examples of the kind {kind}: choose a format made for them.",
        "{format} no admite ejemplos del tipo {kind}: elige un formato pensado para ellos.",
    ),
    "no_answer": (
        "The conversation does not end with an answer of the assistant: add one, or drop the turns after the last.",
        "La conversación no termina con una respuesta del asistente: añade una o quita los turnos posteriores.",
    ),
    "no_rows": (
        "No answer here has a question before it, so nothing can be written as {format}: add one.",
        "Ninguna respuesta tiene una pregunta delante y no hay nada que escribir como {format}: añade una.",
    ),
    "nothing_learned": (
        "Every answer is masked, so nothing would be learned: unmask one.",
        "Todas las respuestas están enmascaradas y no se aprendería nada: desenmascara una.",
    ),
    "empty_turn": (
        "A turn is empty ({field}): write something, or drop it.",
        "Hay un turno vacío ({field}): escribe algo o quítalo.",
    ),
    "no_pairs": (
        "No answer is better than another: rank them, or drop the example.",
        "Ninguna respuesta es mejor que otra: ordénalas o quita el ejemplo.",
    ),
    "same_answers": (
        "Two answers are equal, so neither is better: change one, or drop it.",
        "Dos respuestas son iguales y ninguna es mejor: cambia una o quítala.",
    ),
    "several_turns": (
        "{format} takes one message for each answer, and an answer here has {turns} turns: drop it.",
        "{format} admite un mensaje por respuesta y aquí hay una de {turns} turnos: quítala.",
    ),
    "prompt_end": (
        "The turn before the answers is not a person's or a tool's: add a question.",
        "El turno anterior a las respuestas no es de una persona ni de una herramienta: añade una pregunta.",
    ),
    "orphan": (
        "A tool's answer belongs to no call ({field}): drop it, or add the call.",
        "Una respuesta de herramienta no corresponde a ninguna llamada ({field}): quítala o añade la llamada.",
    ),
    "tool_calls": (
        "{format} has no tool calls, and the example has: choose another format, or drop the example.",
        "{format} no admite llamadas a herramientas y el ejemplo las tiene: elige otro formato o quita el ejemplo.",
    ),
    "arguments": (
        "The arguments of {name} are not a JSON object, and {format} takes nothing else: mend them.",
        "Los argumentos de {name} no son un objeto JSON y {format} no admite otra cosa: corrígelos.",
    ),
    "system_inside": (
        "A system turn stands inside the conversation; {format} takes it only at its head: move or drop it.",
        "Hay un turno de sistema en mitad de la conversación; {format} solo lo admite al principio: muévelo o quítalo.",
    ),
    "unclear": (
        "The scores say neither yes nor no: give a like or a dislike, or scores from 0 to 1 that are not halfway.",
        "Las puntuaciones no dicen ni sí ni no: marca si gusta, o da puntuaciones de 0 a 1 que no queden a medias.",
    ),
    "no_number": (
        "A number in it is infinite or none at all (NaN), and JSON has no such number: mend it.",
        "Hay un número infinito o que no es un número (NaN), y JSON no lo admite: corrígelo.",
    ),
    "half_character": (
        "A text holds half a character (a lone surrogate) that no file can hold: delete it.",
        "Un texto contiene medio carácter (un sustituto suelto) que ningún archivo admite: bórralo.",
    ),
}

ROWS: dict[str, tuple[str, str]] = {
    "not_object": ("{field} is not an object.", "{field} no es un objeto."),
    "not_list": ("{field} is not a list.", "{field} no es una lista."),
    "empty_list": ("{field} is empty.", "{field} está vacío."),
    "not_text": ("{field} is not text.", "{field} no es texto."),
    "missing": ("{field} is missing.", "Falta {field}."),
    "role": ("{field} is no role known here: {found}.", "{field} no es un papel conocido: {found}."),
    "media": (
        "{field} holds {found}, and only text can be read here.",
        "{field} contiene {found} y aquí solo se lee texto.",
    ),
    "weight": ("{field} is neither 0 nor 1.", "{field} no es 0 ni 1."),
    "label": ("{field} is neither true nor false.", "{field} no es verdadero ni falso."),
    "calls": ("{field} is not a tool call.", "{field} no es una llamada a una herramienta."),
    "completions": (
        "{field} does not hold one preferred and one other answer.",
        "{field} no contiene una respuesta preferida y otra que no lo sea.",
    ),
    "same_answers": ("Both answers are equal.", "Las dos respuestas son iguales."),
    "afina": ("{field}: {found}", "{field}: {found}"),
}

lost: Say = speaker(LOSSES)
reason: Say = speaker(REASONS)
fault: Say = speaker(ROWS)
