"""What a run says of its end, in English and Spanish."""

from __future__ import annotations

from assistant.sentences import speaker

_say = speaker(
    {
        "done": (
            "Done: {steps} steps, the result lies in {place}/.",
            "Hecho: {steps} pasos, el resultado está en {place}/.",
        ),
        "done_held": (
            "Done: {steps} steps; the best was step {best} with a loss of {loss:.3f} on held-out rows. It lies in "
            "{place}/.",
            "Hecho: {steps} pasos; el mejor fue el {best}, con una pérdida de {loss:.3f} en las filas reservadas. "
            "Está en {place}/.",
        ),
        "asked": (
            "Stopped as asked; the best so far is kept. It can be resumed.",
            "Detenido como se pidió; se conserva lo mejor hasta ahora. Se puede reanudar.",
        ),
        "nothing_yet": (
            "Stopped before the first step, so there is nothing to keep.",
            "Detenido antes del primer paso, así que no hay nada que conservar.",
        ),
        "time_up": (
            "Its time of {cap:g} seconds was up; the best so far is kept.",
            "Se agotó su tiempo de {cap:g} segundos; se conserva lo mejor hasta ahora.",
        ),
        "taken": (
            "Another process is already running this job.",
            "Otro proceso ya está ejecutando este trabajo.",
        ),
        "helper": (
            "One of the processes that learn together ended without a word. See the file output; then resume.",
            "Uno de los procesos que entrenan juntos terminó sin decir nada. Mira el archivo output y reanuda.",
        ),
        "was_done": ("This job is done already.", "Este trabajo ya está terminado."),
    }
)


def both(key: str, **values: object) -> dict[str, str]:
    return {"en": _say(key, "en", **values), "es": _say(key, "es", **values)}
