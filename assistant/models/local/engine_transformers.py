"""In: SmolLM2's GGUF, or a folder with a causal language model (config.json, safetensors). Out: an Engine run by
transformers: the path that always works, and the one that wears adapters.

A GGUF is turned into safetensors once (in a child process, kept beside it), which then loads in under a second.
Code that comes with a model is not run, pickles are not read. An adapter is loaded when first asked for and changed
from one message to the next (adapters.wardrobe).

    generate    one answer, its text as it is written
    together    many answers at once, each told when all of its batch are done: several times as quick for each
    scored      how likely given texts are
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.errors import ForPerson, TryAgain
from assistant.models.local import runs
from assistant.models.local.adapters.wardrobe import Wardrobe
from assistant.models.local.engine import CONTEXT, MARKS, Counts, Sampling, converted, room, turn_of, written
from assistant.models.local.hf import CONTEXT_NAMES
from assistant.models.local.templates import plain, rendered
from assistant.models.stopping import Until
from knowledge import Turn

CHUNK = 512  # tokens read between two looks at `stop`
PLAIN_STOPS = ("\nUser:", "\nSystem:")  # of a model without a chat template, which goes on writing both sides

_CONVERT = """
import os, sys
import torch
from gguf import GGUFReader
from tokenizers.pre_tokenizers import Digits, Sequence
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
from transformers.utils import logging
logging.disable_progress_bar()
source, target = sys.argv[1:]
folder, file = os.path.split(source)
tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
if GGUFReader(source).fields["tokenizer.ggml.pre"].contents() == "smollm":  # digits one by one: transformers drops it
    backend = tokenizer.backend_tokenizer
    backend.pre_tokenizer = Sequence([Digits(individual_digits=True), backend.pre_tokenizer])
model = AutoModelForCausalLM.from_pretrained(
    folder, gguf_file=file, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
)
model.save_pretrained(target)
tokenizer.save_pretrained(target)
"""


def safetensors(gguf: Path) -> Path:
    """The folder with what the GGUF holds, as transformers and trainers read it; made once (half a minute)."""
    return converted(gguf.parent, "transformers-bf16", _CONVERT, gguf)


class TransformersEngine:
    adapters = True

    def __init__(self, source: Path) -> None:
        """`source`: the default model's .gguf, or a model folder."""
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()  # it would write into the command line's output
        self._chatml = source.suffix == ".gguf"
        folder = str(safetensors(source) if self._chatml else source)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        safe: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, **safe)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, use_safetensors=True, **safe)
        self._model: Any = model.to(self._device).eval()
        self._ends = self._find_ends()
        self.context = CONTEXT if self._chatml else _context(self._model.config)
        self._wardrobe: Any = Wardrobe(self._model)
        self._alone = threading.Lock()

    # ── a conversation ───────────────────────────────────────────────────────────────────────────────────────────

    def prompt(self, turns: Sequence[Turn], template: str = "") -> str:
        return written(turns, template) if self._chatml else self.in_own_words(turns, template)

    def in_own_words(self, turns: Sequence[Turn], template: str = "") -> str:
        """By the tokenizer's template, also where the default model is asked by the folder its weights lie in."""
        template = template or self._own_template()
        special = self._special()
        if template:
            names = {name: str(token) for name, token in self._tokenizer.special_tokens_map.items()}
            return rendered(turns, template, special, names)
        lines = [f"{turn.role.capitalize()}: {plain(turn.text, special)}" for turn in turns]
        return "\n".join([*lines, "Assistant:"])

    def _own_template(self) -> str:
        own = getattr(self._tokenizer, "chat_template", None) or ""
        return str(own.get("default", "") if isinstance(own, dict) else own)

    def _special(self) -> set[str]:
        added = getattr(self._tokenizer, "added_tokens_decoder", {}) or {}
        return {*self._tokenizer.all_special_tokens, *(str(token) for token in added.values())}

    def _find_ends(self) -> list[int]:
        """Tokens that end an answer: what the model's own generation settings say, its tokenizer, ChatML's mark."""
        said = [getattr(self._model.generation_config, "eos_token_id", None), self._tokenizer.eos_token_id]
        found = {one for ids in said if ids is not None for one in (ids if isinstance(ids, list) else [ids])}
        known = self._tokenizer.get_vocab()
        return sorted(found | {known[mark] for mark in MARKS if mark in known})

    # ── an answer ────────────────────────────────────────────────────────────────────────────────────────────────

    def generate(
        self, prompt: str, sampling: Sampling, stop: threading.Event, adapter: Path | None = None
    ) -> Iterator[str | Counts]:
        import torch

        with turn_of(self._alone, stop) as ours:
            if not ours:
                yield Counts(0, 0)
                return
            ids = self._read(prompt)
            worn = self._wardrobe.wear(adapter)
            arguments = self._arguments(sampling, room(len(ids) + worn.tokens, sampling, self.context))
            if sampling.seed is not None:
                torch.manual_seed(sampling.seed)
            until = Until((*sampling.stop, *self._stops()))
            given = runs.given([ids], worn.read, self._device)
            run = runs.Run(self._model, self._tokenizer, given | arguments, stop)
            try:
                for piece in run.pieces():
                    if text := until.take(piece):
                        yield text
                    if until.met:
                        break
                if text := until.take("", last=True):
                    yield text
            finally:
                run.close()
            yield Counts(len(ids), run.written)

    def together(
        self, prompts: Sequence[str], sampling: Sampling, stop: threading.Event, adapter: Path | None = None
    ) -> list[tuple[str, Counts] | ForPerson]:
        """Each prompt's answer as `generate` gives it, greedy, or why there is none; [] once `stop` is set.

        Equal in float32. In bf16 a batch rounds otherwise than a single row, so where two tokens are as good as equally
        likely the other one may be taken."""
        with turn_of(self._alone, stop) as ours:
            if not ours:
                return []
            self._there()
            worn = self._wardrobe.wear(adapter)
            read = [self._fitting(prompt, worn.tokens, sampling) for prompt in prompts]
            ready = {at: row for at, row in enumerate(read) if not isinstance(row, ForPerson)}
            said = dict[int, tuple[str, Counts]]()
            lengths = {at: len(row) + worn.tokens for at, row in ready.items()}
            # A window counts padding: a trained prompt would be further away for a row that is padded after it.
            even = worn.read is not None and bool(getattr(self._model.config, "sliding_window", None))
            for batch in runs.batches(lengths, sampling.max_tokens, self.context, even=even):
                some, left = [ready[at] for at in batch], room(lengths[batch[0]], sampling, self.context)
                given = runs.given(some, worn.read, self._device) | self._arguments(sampling, left)
                written = runs.together(self._model, given, self._ends, stop)
                if stop.is_set():
                    return []
                said |= {at: self._said(ready[at], ids, sampling) for at, ids in zip(batch, written, strict=True)}
            return [row if isinstance(row, ForPerson) else said[at] for at, row in enumerate(read)]

    def _fitting(self, prompt: str, before: int, sampling: Sampling) -> list[int] | ForPerson:
        ids = self._read(prompt)
        try:
            room(len(ids) + before, sampling, self.context)
        except ForPerson as error:
            return error
        return ids

    def _said(self, prompt: Sequence[int], ids: Sequence[int], sampling: Sampling) -> tuple[str, Counts]:
        until = Until((*sampling.stop, *self._stops()))
        text = until.take(str(self._tokenizer.decode(ids, skip_special_tokens=True)))
        return text + until.take("", last=True), Counts(len(prompt), len(ids))

    def scores(self, prompt: str, stop: threading.Event, adapter: Path | None = None) -> Any:
        """(vocabulary,) float32: the model's word on the token after `prompt`, before any setting."""
        import torch

        with turn_of(self._alone, stop) as ours:
            if not ours:
                raise TryAgain("The model is busy. Try again.", spanish="El modelo está ocupado. Inténtalo otra vez.")
            ids = self._read(prompt)
            worn = self._wardrobe.wear(adapter)
            room(len(ids) + worn.tokens, Sampling(1), self.context)
            with torch.inference_mode():
                out = self._model(**runs.reading([ids], worn.read, self._device), logits_to_keep=1)
            return out.logits[0, -1].float().cpu().numpy()

    def scored(
        self, rows: Sequence[tuple[Sequence[int], Sequence[bool]]], stop: threading.Event, adapter: Path | None = None
    ) -> list[list[tuple[float, bool]]]:
        """`rows`: tokens, and which of them count (never the first). Out, for each that counts: its natural logarithm,
        and whether it is the likeliest. [] once `stop` is set."""
        with turn_of(self._alone, stop) as ours:
            if not ours:
                return []
            self._there()
            worn = self._wardrobe.wear(adapter)
            return runs.scored(self._model, rows, worn.read, self._device, stop)

    def piece(self, token: int) -> str:
        return str(self._tokenizer.decode([token]))

    def close(self) -> None:
        with self._alone:
            self._model = self._wardrobe = None

    def _read(self, prompt: str) -> list[int]:
        self._there()
        own = not (self._chatml or self._own_template())  # a template writes the tokenizer's first token itself
        return [int(one) for one in self._tokenizer(prompt, add_special_tokens=own).input_ids]

    def _there(self) -> None:
        if self._model is None:
            raise TryAgain(
                "The model has just been put away to make room for another. Try again.",
                spanish="El modelo se acaba de retirar para dejar sitio a otro. Inténtalo otra vez.",
            )

    def _stops(self) -> tuple[str, ...]:
        return () if self._chatml or self._own_template() else PLAIN_STOPS

    def _arguments(self, sampling: Sampling, tokens: int) -> dict[str, Any]:
        padding = self._tokenizer.pad_token_id
        arguments: dict[str, Any] = {
            "max_new_tokens": tokens,
            "eos_token_id": self._ends,
            "pad_token_id": padding if padding is not None else (self._ends or [0])[0],
            "repetition_penalty": sampling.repetition_penalty,
            "prefill_chunk_size": CHUNK,
            "do_sample": sampling.temperature > 0,
        }
        # All are said: a model's own generation settings would fill in what is left out.
        if sampling.temperature > 0:
            top_p = sampling.top_p if sampling.top_p is not None else 1.0
            return arguments | {"temperature": sampling.temperature, "top_p": top_p, "top_k": sampling.top_k or 0}
        return arguments | {"temperature": None, "top_p": None, "top_k": None}


def _context(config: Any) -> int:
    """Tokens of prompt and answer together, as the model's own settings say; 2,048 where they do not."""
    return next((int(value) for name in CONTEXT_NAMES if isinstance(value := getattr(config, name, None), int)), 2048)
