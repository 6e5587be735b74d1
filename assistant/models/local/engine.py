"""What every local engine shares: how it is asked, how a conversation is written for it, what it must be able to do.

In: turns, limits. Out: the one string a ChatML model reads. Knows nothing of LangChain or of any runtime.

    <|im_start|>system
    You answer from passages.<|im_end|>
    <|im_start|>user
    What is the capital?<|im_end|>
    <|im_start|>assistant
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from assistant.errors import ForOperator, ForPerson
from assistant.models.local.templates import plain, rendered
from knowledge import Turn
from knowledge.weights.sums import sums

SYSTEM = "You are a helpful assistant."  # where none is given: SmolLM2's own template would speak of SmolLM
CONTEXT = 8192  # tokens of prompt and answer together
MARKS = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to choose the next token. Temperature 0 is greedy; the others then have no effect."""

    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None  # the same seed gives the same text as long as the prefix cache holds the same
    repetition_penalty: float = 1.0  # above 1 also punishes copying from the prompt, which citations need
    stop: tuple[str, ...] = ()  # the text ends before the first of these


@dataclass(frozen=True, slots=True)
class Counts:
    """The last item of a generation: tokens read and written."""

    prompt: int
    completion: int


class Engine(Protocol):
    """A loaded model. One generation at a time; others wait their turn and see their own stop."""

    adapters: bool  # whether it can switch LoRA adapters per message

    def prompt(self, turns: Sequence[Turn], template: str = "") -> str:
        """A conversation as this model reads it; `template` (Jinja) in place of its own."""

    def generate(
        self, prompt: str, sampling: Sampling, stop: threading.Event, adapter: Path | None = None
    ) -> Iterator[str | Counts]:
        """Text as it is written, then Counts. Ends within a second of `stop`. ForPerson when the prompt is too long."""

    def close(self) -> None: ...


def chatml(turns: Sequence[Turn]) -> str:
    """Marks inside a text are broken up: a document must not be able to end its turn and speak as someone else."""
    if not turns or turns[0].role != "system":
        turns = [Turn("system", SYSTEM), *turns]
    return "".join(f"<|im_start|>{turn.role}\n{plain(turn.text, MARKS)}<|im_end|>\n" for turn in turns) + (
        "<|im_start|>assistant\n"
    )


def written(turns: Sequence[Turn], template: str) -> str:
    """A conversation for SmolLM2: as it was taught, or by the template a tuned persona brings."""
    if not template:
        return chatml(turns)
    if not turns or turns[0].role != "system":
        turns = [Turn("system", SYSTEM), *turns]
    return rendered(turns, template, MARKS, {"bos_token": MARKS[0], "eos_token": MARKS[1]})


def room(tokens: int, sampling: Sampling, context: int = CONTEXT) -> int:
    """How many tokens may be written after a prompt of so many."""
    if tokens >= context:
        raise ForPerson(
            f"That is too long for the model, which reads at most {context:,} tokens with its answer. "
            "Shorten the message, start a new conversation, or choose fewer documents.",
            spanish=f"Es demasiado largo para el modelo, que lee como máximo {context} tokens junto con su respuesta. "
            "Acorta el mensaje, empieza otra conversación o elige menos documentos.",
        )
    return min(sampling.max_tokens, context - tokens)


@contextmanager
def turn_of(lock: threading.Lock, stop: threading.Event) -> Iterator[bool]:
    """True when the engine is ours; False when `stop` was set while waiting."""
    while not (ours := lock.acquire(timeout=0.1)):
        if stop.is_set():
            break
    try:
        yield ours and not stop.is_set()
    finally:
        if ours:
            lock.release()


def converted(folder: Path, name: str, code: str, source: Path) -> Path:
    """`folder/name-<hash of source, code>`, made once: `code` runs in a child process with (source, target folder) as
    its arguments. Made of other bytes or by other code, it is another folder, and the earlier ones go.

    A child, so that what the conversion loads (hundreds of MB) is gone afterwards; a rename, so that a folder that
    exists is whole; a lock, so that two processes do not both work."""
    from filelock import FileLock

    read = sums(source.parent, [source.name]).get(source.name, "")
    digest = hashlib.sha256(f"{read}\n{code}".encode()).hexdigest()[:16]
    kept, name = name, f"{name}-{digest}"
    place = folder / name
    if place.is_dir():
        return place
    with FileLock(folder / f".{name}.lock"):
        if place.is_dir():
            return place
        stage = folder / f".{name}.making"
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir()
        try:
            child = subprocess.run(
                [sys.executable, "-c", code, str(source), str(stage)],
                stdin=subprocess.DEVNULL, capture_output=True, check=False,
            )  # fmt: skip
            if child.returncode:
                last = child.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
                raise ForOperator(f"{source.name} could not be prepared for this machine ({last[0][:200]}).")
            os.replace(stage, place)
            for old in folder.glob(f"{kept}-*"):
                if old != place:
                    shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    return place
