"""In: a key and a language. Out: a sentence of the assistant's own, in English or Spanish."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_SENTENCES: dict[str, tuple[str, str]] = {
    # why a route was taken
    "asked_documents": ("You asked for an answer from the documents.", "Pediste una respuesta de los documentos."),
    "asked_chat": ("You asked for a plain answer, without documents.", "Pediste una respuesta sin documentos."),
    "asked_tool": ("You asked for a tool.", "Pediste una herramienta."),
    "mentioned_persona": ("You named {name} in your message.", "Nombraste a {name} en tu mensaje."),
    "chosen_persona": ("You asked {name} to answer.", "Pediste que contestara {name}."),
    "chats_persona": ("{name} answers in this chat.", "En este chat contesta {name}."),
    "nothing_found": (
        "Your documents do not hold this, so this is the model's own word.",
        "Tus documentos no lo dicen: contesta solo el modelo.",
    ),
    # what went wrong
    "no_route": (
        "There is no route {route!r} here: choose auto, {known}.",
        "Aquí no existe la ruta {route!r}: elige auto, {known}.",
    ),
    "which_tool": (
        "This message names no tool and nothing for one to do: choose a tool, or ask in other words.",
        "Este mensaje no nombra ninguna herramienta ni nada que hacer con una: elige una o dilo de otra manera.",
    ),
    "which_persona": (
        "Nobody is named here: write @ and a name, or choose a persona.",
        "Aquí no se nombra a nadie: escribe @ y un nombre, o elige un personaje.",
    ),
    "no_tools": ("There are no tools here: ask without one.", "Aquí no hay herramientas: pregunta sin ellas."),
    "no_documents": (
        "There are no documents to answer from: add one, or ask for a plain answer.",
        "No hay documentos de los que responder: añade uno o pide una respuesta sin documentos.",
    ),
    "too_long": (
        "The message is longer than the model can read ({length} characters, at most {limit}): shorten it, or add it "
        "as a document.",
        "El mensaje es más largo de lo que el modelo puede leer ({length} caracteres, como máximo {limit}): acórtalo o "
        "añádelo como documento.",
    ),
    "memory": (
        "The machine ran out of memory while answering: close other programs, or ask something shorter, and try again.",
        "La máquina se quedó sin memoria al responder: cierra otros programas o pregunta algo más corto y reinténtalo.",
    ),
    "wait": ("Not ready yet: {detail}", "Todavía no está listo; espera un poco y reinténtalo. ({detail})"),
    "operator": ("{detail}", "La aplicación necesita atención de quien la administra: {detail}"),
    "person": ("{detail}", "No se pudo responder: {detail}"),
    "bug": (
        "Something went wrong while answering; your message is stored. Try again, and look into the log if it stays.",
        "Algo falló al responder; tu mensaje está guardado. Reinténtalo y, si se repite, mira el registro.",
    ),
    "silent": (
        "The model gave no answer: try again, or ask in other words.",
        "El modelo no dio respuesta: reinténtalo o pregúntalo de otra manera.",
    ),
    "not_saved": (
        "The answer could not be saved: check that the disk is not full, then try again.",
        "No se pudo guardar la respuesta: comprueba que el disco no esté lleno y reinténtalo.",
    ),
    "interrupted": (
        "The app was closed while this was written: try again to get the whole answer.",
        "La aplicación se cerró mientras se escribía: reinténtalo para tener la respuesta entera.",
    ),
    "tool_and_route": (
        "A tool and another route cannot both be chosen: leave one of them out.",
        "No se puede elegir a la vez una herramienta y otra ruta: quita una de las dos.",
    ),
    "arguments_of_none": (
        "These arguments belong to no tool: name the tool too.",
        "Estos argumentos no son de ninguna herramienta: nombra también la herramienta.",
    ),
    "nothing_asked": (
        "There is nothing to answer: write a message.",
        "No hay nada que responder: escribe un mensaje.",
    ),
    "being_written": (
        "The answer above is still being written: wait for it or stop it, then send again.",
        "La respuesta anterior aún se está escribiendo: espera o detenla y envía de nuevo.",
    ),
    "closing": ("The app is closing: start it and send again.", "La aplicación se está cerrando: ábrela y reenvía."),
    "only_questions": ("Only a question of yours can be edited.", "Solo se puede editar una pregunta tuya."),
    "no_question": ("The question is empty: write something first.", "La pregunta está vacía: escribe algo antes."),
    "not_from_documents": (
        "This is the model's own word; it does not come from your documents.",
        "Esto lo dice solo el modelo; no sale de tus documentos.",
    ),
    "no_file": (
        "None of the files could be used, so the question was not asked: see what is said of each.",
        "No se pudo usar ningún archivo y no se hizo la pregunta: mira lo que se dice de cada uno.",
    ),
    # what the assistant says of itself: a small model would invent it
    "greeting": (
        "Hello! Add a document and ask about it, or just ask me something.",
        "¡Hola! Añade un documento y pregunta sobre él, o pregúntame lo que quieras.",
    ),
    "about": (
        "I am Afina, an assistant that runs on this machine. Drop a PDF, a text or a Markdown file here and ask about "
        "it: every answer shows the page it comes from, and each citation opens it. Without documents I answer with "
        "the model's own words, which can be wrong.",
        "Soy Afina, una asistente que funciona en esta máquina. Suelta aquí un PDF, un texto o un archivo Markdown y "
        "pregunta sobre él: cada respuesta muestra la página de la que sale y cada cita la abre. Sin documentos "
        "contesto con las palabras del modelo, que puede equivocarse.",
    ),
    # what the model is told
    "system": (
        "You are Afina, a helpful assistant. Answer in English, briefly and truthfully. "
        "If you do not know something, say so.",
        "Eres Afina, una asistente amable. Responde en español, con brevedad y sin inventar. Si no sabes algo, dilo.",
    ),
}


Say = Callable[..., str]  # say(key, language, **values)


def speaker(sentences: Mapping[str, tuple[str, str]]) -> Say:
    """The voice of one package: its own table of (English, Spanish), the same rules."""

    def say(key: str, language: str, **values: object) -> str:
        english, spanish = sentences[key]
        return (spanish if language == "es" else english).format(**values)

    return say


say = speaker(_SENTENCES)
