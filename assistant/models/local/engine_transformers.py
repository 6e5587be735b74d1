"""In: SmolLM2's GGUF, or a folder with a causal language model (config.json, safetensors). Out: an Engine run by
transformers: the path that always works, and the one that wears adapters.

A GGUF is turned into safetensors once (in a child process, kept beside it), which then loads in under a second.
Code that comes with a model is not run, pickles are not read. A LoRA adapter (a PEFT folder) is loaded when first asked
for and switched per message.
"""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from assistant.errors import ForOperator, TryAgain
from assistant.models.local.engine import CONTEXT, MARKS, Counts, Sampling, converted, room, turn_of, written
from assistant.models.local.hf import CONTEXT_NAMES
from assistant.models.local.templates import plain, rendered
from assistant.models.stopping import Until
from knowledge import Turn

CHUNK = 512  # tokens read between two looks at `stop`
MOST_ADAPTERS = 16  # kept in memory beside one base; the one not worn for longest goes
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
        self._worn: OrderedDict[Path, str] = OrderedDict()  # adapter folder → its name in PEFT, the last worn last
        self._names = 0
        self._on = ""  # what is worn now; "": nothing
        self._layers: list[Any] = []  # the adapters' own, where saying to each what counts is all there is to do
        self._alone = threading.Lock()

    # ── a conversation ───────────────────────────────────────────────────────────────────────────────────────────

    def prompt(self, turns: Sequence[Turn], template: str = "") -> str:
        if self._chatml:
            return written(turns, template)
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
            tokens = int(ids.shape[1])
            arguments = self._arguments(sampling, room(tokens, sampling, self.context))
            if sampling.seed is not None:
                torch.manual_seed(sampling.seed)
            until = Until((*sampling.stop, *self._stops()))
            with self._wearing(adapter):
                run = _Run(self._model, self._tokenizer, ids, arguments, stop)
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
            yield Counts(tokens, run.written)

    def scores(self, prompt: str, stop: threading.Event, adapter: Path | None = None) -> Any:
        """(vocabulary,) float32: the model's word on the token after `prompt`, before any setting."""
        import torch

        with turn_of(self._alone, stop) as ours:
            if not ours:
                raise TryAgain("The model is busy. Try again.", spanish="El modelo está ocupado. Inténtalo otra vez.")
            ids = self._read(prompt)
            room(int(ids.shape[1]), Sampling(1), self.context)
            with self._wearing(adapter), torch.inference_mode():
                out = self._model(input_ids=ids, attention_mask=torch.ones_like(ids), logits_to_keep=1)
            return out.logits[0, -1].float().cpu().numpy()

    def piece(self, token: int) -> str:
        return str(self._tokenizer.decode([token]))

    def close(self) -> None:
        with self._alone:
            self._model = None

    def _read(self, prompt: str) -> Any:
        if self._model is None:
            raise TryAgain(
                "The model has just been put away to make room for another. Try again.",
                spanish="El modelo se acaba de retirar para dejar sitio a otro. Inténtalo otra vez.",
            )
        own = not (self._chatml or self._own_template())  # a template writes the tokenizer's first token itself
        return self._tokenizer(prompt, add_special_tokens=own, return_tensors="pt").input_ids.to(self._device)

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

    # ── adapters ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _wearing(self, adapter: Path | None) -> Any:
        """A context in which the model wears this adapter, or none. Nothing is done where it already does."""
        if adapter is None:
            if self._layers:
                self._switch("")
                return nullcontext()
            return self._model.disable_adapter() if self._worn else nullcontext()
        if adapter not in self._worn:
            self._load(adapter)
        self._worn.move_to_end(adapter)
        self._switch(self._worn[adapter])
        return nullcontext()

    def _switch(self, name: str) -> None:
        """`name` "": none. PEFT's own way also marks every weight for training or not: 60 ms on a busy machine with
        210 layers; where all adapters are layers beside the base's, saying to each which one counts takes 1 ms."""
        if self._on == name:
            return
        for layer in self._layers:
            layer._disable_adapters = not name
            if name:
                layer._active_adapter = [name]
        if not self._layers:
            self._model.set_adapter(name, inference_mode=True)
        self._on = name

    def _find_layers(self) -> list[Any]:
        """Empty where an adapter is more than layers (prompts, whole modules): PEFT then switches itself."""
        from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
        from peft.utils.other import AuxiliaryTrainingWrapper

        modules = list(self._model.modules())
        if not isinstance(self._model.base_model, BaseTuner):
            return []
        if any(isinstance(module, AuxiliaryTrainingWrapper) for module in modules):
            return []
        return [module for module in modules if isinstance(module, BaseTunerLayer)]

    def _load(self, adapter: Path) -> None:
        self._names += 1
        name = f"adapter{self._names}"
        try:
            from peft import PeftModel

            if not (adapter / "adapter_model.safetensors").is_file():  # else PEFT would look for it on the hub
                raise OSError("it has no adapter_model.safetensors")
            for layer in self._layers:  # PEFT finds its own state as it left it
                layer._disable_adapters = False
            self._on = "?"
            if self._worn:
                self._model.load_adapter(str(adapter), name, use_safetensors=True)
            else:
                made = PeftModel.from_pretrained(self._model, str(adapter), adapter_name=name, use_safetensors=True)
                self._model = made.eval()
            self._layers = self._find_layers()
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise ForOperator(
                f"The adapter {adapter} could not be loaded ({reason}). It must be a PEFT folder trained on this "
                "model; `pip install peft` if that is what is missing.",
                spanish=f"No se pudo cargar el adaptador {adapter} ({reason}). Tiene que ser una carpeta de PEFT "
                "entrenada sobre este modelo; `pip install peft` si es eso lo que falta.",
            ) from error
        self._worn[adapter] = name
        while len(self._worn) > MOST_ADAPTERS:
            self._model.delete_adapter(self._worn.popitem(last=False)[1])


def _context(config: Any) -> int:
    """Tokens of prompt and answer together, as the model's own settings say; 2,048 where they do not."""
    return next((int(value) for name in CONTEXT_NAMES if isinstance(value := getattr(config, name, None), int)), 2048)


class _Run:
    """`model.generate` in a thread of its own; the caller iterates over the text."""

    def __init__(self, model: Any, tokenizer: Any, ids: Any, arguments: dict[str, Any], stop: threading.Event) -> None:
        import torch
        from transformers import StoppingCriteria, StoppingCriteriaList, TextIteratorStreamer

        self.written = 0  # tokens
        self._stop = stop
        self._closed = closed = threading.Event()
        self._streamer: Any = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True, timeout=0.1)
        self._error: Exception | None = None

        class Stopped(StoppingCriteria):  # type: ignore[misc]
            def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
                done = stop.is_set() or closed.is_set()
                return torch.full((input_ids.shape[0],), done, dtype=torch.bool, device=input_ids.device)

        def work() -> None:
            try:
                with torch.inference_mode():
                    out = model.generate(
                        input_ids=ids,
                        attention_mask=torch.ones_like(ids),
                        streamer=self._streamer,
                        stopping_criteria=StoppingCriteriaList([Stopped()]),
                        **arguments,
                    )
                self.written = int(out.shape[1] - ids.shape[1])
            except Exception as error:
                self._error = error
                self._streamer.end()

        self._thread = threading.Thread(target=work, name="transformers", daemon=True)
        self._thread.start()

    def pieces(self) -> Iterator[str]:
        while not self._stop.is_set():
            try:
                piece = next(self._streamer)
            except queue.Empty:
                continue
            except StopIteration:
                break
            if piece:
                yield piece
        if self._error:
            raise ForOperator(
                f"The model stopped with an error ({str(self._error).splitlines()[-1][:200]}). "
                "Try again; if it stays, run `afina doctor`."
            ) from self._error

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
