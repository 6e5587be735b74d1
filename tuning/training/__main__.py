"""`python -m tuning.training JOB`: run the job in this folder, or go on with it. Exit: 0 done, 1 failed, 2 no job,
3 stopped. What is said goes into JOB/log; the sentence that matters is printed too, its last line.

Where `processes` learn together, this one is the first of them and begins the others (helpers). Begun by a launcher
that has set RANK and WORLD_SIZE (`accelerate launch` or `torchrun`, `-m tuning.training JOB`), it begins none.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

from filelock import FileLock, Timeout

from tuning.errors import TuningError
from tuning.training import helpers
from tuning.training.folder import CONFIG, TRAIN, Folder, Onlooker, Status
from tuning.training.sentences import both
from tuning.training.settings import Settings, read

DONE, FAILED, NO_JOB, STOPPED = 0, 1, 2, 3
_QUIET = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_WAIT_POLICY": "PASSIVE"}


def main(arguments: list[str]) -> int:
    helps = helpers.HELPS in arguments or int(os.environ.get("RANK", "0")) > 0
    places = [one for one in arguments if one != helpers.HELPS]
    place = Path(places[0]) if len(places) == 1 else None
    if place is None or not (place / CONFIG).is_file() or not (place / TRAIN).is_file():
        print("Usage: python -m tuning.training JOB, a folder with config.json and train.jsonl.", file=sys.stderr)
        return NO_JOB
    if helps:
        if helpers.HELPS in arguments:
            helpers.end_with_the_first()
        return _helping(Onlooker(place.absolute()))
    folder = Folder(place.absolute())
    try:
        with FileLock(folder.file(".lock"), timeout=0):
            return _owned(folder)
    except Timeout:
        print(both("taken")["en"], file=sys.stderr)
        return FAILED


def _owned(folder: Folder) -> int:
    if folder.state().status is Status.DONE:
        print(both("was_done")["en"])
        return DONE
    folder.say(status=Status.PREPARING, pid=os.getpid(), reason={})
    folder.log(f"python -m tuning.training {folder.place}")
    settings: Settings | None = None
    try:
        settings = read(folder.file(CONFIG))
        status = _run(folder, settings)
    except Exception as error:
        return _failed(folder, settings, error)
    print(folder.state().said("en"))
    return DONE if status is Status.DONE else STOPPED


def _run(folder: Folder, settings: Settings) -> Status:
    os.environ.update({name: os.environ.get(name, value) for name, value in _QUIET.items()})  # before torch comes
    with helpers.begun(folder, settings.processes):
        from tuning.training.engine.run import Run

        return Run(folder, settings).whole()


def _helping(folder: Onlooker) -> int:
    """What ends all of them, the first one says; what ends this one alone is printed for it, as JSON."""
    settings: Settings | None = None
    try:
        settings = read(folder.file(CONFIG))
        _run(folder, settings.model_copy(update={"processes": 1}))
    except Exception as error:
        from tuning.training.engine.guard import Exploding, NotFinite, said

        if isinstance(error, NotFinite | Exploding):
            return DONE
        traceback.print_exc()
        english, spanish = said(error, settings, folder.place)
        print(json.dumps({"en": english, "es": spanish}), flush=True)
        return FAILED
    return DONE


def _failed(folder: Folder, settings: Settings | None, error: Exception) -> int:
    if not isinstance(error, TuningError):
        folder.log("".join(traceback.format_exception(error)).rstrip())
    from tuning.training.engine.guard import said

    english, spanish = said(error, settings, folder.place)
    folder.say(status=Status.FAILED, reason={"en": english, "es": spanish})
    folder.log(english)
    print(english, file=sys.stderr)
    return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
