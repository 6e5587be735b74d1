"""In: a key and a language. Out: why a route was taken, one sentence."""

from __future__ import annotations

from assistant.sentences import speaker

say = speaker(
    {
        "small_talk": (
            "This is small talk, so no document was searched.",
            "Es una charla informal: no se buscó en los documentos.",
        ),
        "attached": (
            "This conversation has documents of its own, so the answer comes from them.",
            "Esta conversación tiene sus documentos: la respuesta sale de ellos.",
        ),
        "empty": (
            "There are no documents yet, so this is the model's own word; add a document to get answers with citations.",
            "Todavía no hay documentos: contesta solo el modelo; añade uno para tener respuestas con citas.",
        ),
        "empty_mentioned": (
            "You ask about a document, but there are none yet: add it, then ask again.",
            "Preguntas por un documento, pero todavía no hay ninguno: añádelo y vuelve a preguntar.",
        ),
        "empty_documents": (
            "Only documents of yours could answer this, and there are none yet: add one, then ask again.",
            "Esto solo lo pueden contestar tus documentos y todavía no hay ninguno: añade uno y vuelve a preguntar.",
        ),
        "near": (
            "Your documents hold something close to this: {title}, page {page}.",
            "Tus documentos tienen algo cercano: {title}, página {page}.",
        ),
        "mentioned": (
            "You speak of documents, so yours were searched.",
            "Hablas de documentos, así que se buscó en los tuyos.",
        ),
        "goes_on": (
            "This goes on from an answer that cited your documents, so they were searched again.",
            "Esto sigue a una respuesta que citaba tus documentos, así que se buscó de nuevo en ellos.",
        ),
        "asks_documents": (
            "This reads like a question to your documents, so they were searched.",
            "Parece una pregunta a tus documentos, así que se buscó en ellos.",
        ),
        "perhaps": (
            "This may be about your documents, so they were searched.",
            "Puede tratar de tus documentos, así que se buscó en ellos.",
        ),
        "unsure": (
            "It is not clear what this asks for, so it is answered without tools; say more, or choose the route.",
            "No está claro qué se pide: se contesta sin herramientas; di algo más o elige la ruta.",
        ),
        "far": (
            "Nothing in your documents is close to this, so this is the model's own word.",
            "Nada en tus documentos se parece a esto: contesta solo el modelo.",
        ),
        "talk": (
            "This does not ask for anything that documents hold, so this is the model's own word.",
            "Esto no pregunta por nada que haya en documentos: contesta solo el modelo.",
        ),
        "request": (
            "You ask for something new to be written, so this is the model's own word.",
            "Pides que se escriba algo nuevo: contesta solo el modelo.",
        ),
        "calculator": ("There is arithmetic in this: {expression}.", "Aquí hay una cuenta: {expression}."),
        "clock": ("This asks for a time or a date.", "Esto pregunta por una hora o una fecha."),
        "convert": ("This asks for other units.", "Esto pide pasar a otras unidades."),
        "web_page": ("The message names a web page: {url}.", "El mensaje nombra una página web: {url}."),
        "web_search": (
            "You ask to search the web for “{query}”.",
            "Pides buscar en la web «{query}».",
        ),
        "live": (
            "Only the web knows what is so today, so “{query}” would be searched there.",
            "Lo que pasa hoy solo lo sabe la web: se buscaría allí «{query}».",
        ),
        "continued": (
            "This goes on from the result before: {what}.",
            "Esto sigue al resultado anterior: {what}.",
        ),
        "persona": ("You speak to {persona}.", "Te diriges a {persona}."),
        "persona_perhaps": ("You name {persona}, who therefore answers.", "Nombras a {persona}: por eso contesta."),
        "corrected": (
            "You corrected this before: it goes to {where}.",
            "Esto ya lo corregiste: va a {where}.",
        ),
        "corrected_like": (
            "You corrected “{text}”, which is much like this: it goes to {where}.",
            "Corregiste «{text}», que se parece mucho: va a {where}.",
        ),
        "where_documents": ("the documents", "los documentos"),
        "where_chat": ("the model's own word", "lo que diga el modelo"),
        "where_tool": ("a tool ({name})", "una herramienta ({name})"),
        "where_persona": ("a persona ({name})", "un personaje ({name})"),
    }
)
