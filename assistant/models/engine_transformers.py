"""In: SmolLM2's GGUF. Out: an Engine run by transformers: the path that always works, and the one that wears adapters.

The GGUF is turned into safetensors once (in a child process, kept beside it), which then loads in under a second.
A LoRA adapter (a PEFT folder) is loaded the first time it is asked for and switched per message.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from assistant.errors import ForOperator
from assistant.models.engine import MARKS, Counts, Sampling, Until, converted, room, turn_of

CHUNK = 512  # tokens read between two looks at `stop`

_CONVERT = """
import os, sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
from transformers.utils import logging
logging.disable_progress_bar()
source, target = sys.argv[1:]
folder, file = os.path.split(source)
tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
model = AutoModelForCausalLM.from_pretrained(
    folder, gguf_file=file, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
)
model.save_pretrained(target)
tokenizer.save_pretrained(target)
"""


class TransformersEngine:
    adapters = True

    def __init__(self, gguf: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()  # it would write into the command line's output
        folder = str(converted(gguf.parent, "transformers-bf16", _CONVERT, gguf))
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).to(self._device).eval()
        self._worn: dict[Path, str] = {}  # adapter folder -> its name in PEFT
        self._alone = threading.Lock()

    def generate(
        self, prompt: str, sampling: Sampling, stop: threading.Event, adapter: Path | None = None
    ) -> Iterator[str | Counts]:
        import torch

        with turn_of(self._alone, stop) as ours:
            if not ours:
                yield Counts(0, 0)
                return
            ids = self._tokenizer(prompt, add_special_tokens=False, return_tensors="pt").input_ids.to(self._device)
            tokens = int(ids.shape[1])
            arguments = self._arguments(sampling, room(tokens, sampling))
            if sampling.seed is not None:
                torch.manual_seed(sampling.seed)
            until = Until(sampling.stop)
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

    def close(self) -> None:
        with self._alone:
            self._model = None

    def _arguments(self, sampling: Sampling, tokens: int) -> dict[str, Any]:
        ends = self._tokenizer.convert_tokens_to_ids(list(MARKS))
        arguments: dict[str, Any] = {
            "max_new_tokens": tokens,
            "eos_token_id": ends,
            "pad_token_id": self._tokenizer.pad_token_id,
            "repetition_penalty": sampling.repetition_penalty,
            "prefill_chunk_size": CHUNK,
            "do_sample": sampling.temperature > 0,
        }
        if sampling.temperature > 0:
            chosen = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k or 0}
            arguments |= {name: value for name, value in chosen.items() if value is not None}
        return arguments

    def _wearing(self, adapter: Path | None) -> Any:
        """A context in which the model wears this adapter, or none."""
        if adapter is None:
            return self._model.disable_adapter() if self._worn else nullcontext()
        if adapter not in self._worn:
            self._load(adapter)
        self._model.set_adapter(self._worn[adapter])
        return nullcontext()

    def _load(self, adapter: Path) -> None:
        name = f"adapter{len(self._worn)}"
        try:
            from peft import PeftModel

            if self._worn:
                self._model.load_adapter(str(adapter), name)
            else:
                self._model = PeftModel.from_pretrained(self._model, str(adapter), adapter_name=name).eval()
        except (OSError, ValueError, ImportError, RuntimeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ForOperator(
                f"The adapter {adapter} could not be loaded ({reason[:200]}). "
                "It must be a PEFT folder trained on this model; `pip install peft` if that is what is missing."
            ) from error
        self._worn[adapter] = name


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
