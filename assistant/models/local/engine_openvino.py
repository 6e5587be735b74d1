"""In: SmolLM2's GGUF. Out: an Engine run by OpenVINO GenAI: the quick path, without torch.

The GGUF is turned into OpenVINO's own format once (7 s, kept beside it), which then loads in half the time and with
100 MB less. Paged attention keeps what was read: a second turn of a conversation only reads what is new (474 tokens:
0.06–0.1 s instead of 1.2–2.2 s on two busy cores), within a cache of two full contexts (about 200 MB when filled).

Tried and left: driving the pipeline with `step()` (it holds the GIL, so the page would freeze while text is written);
`CACHE_DIR` (no quicker to load, 65 MB more); the SDPA backend (no reuse between turns); prompt-lookup decoding (65
against 64 tokens per CPU second over twelve questions about a passage: `guess` keeps it measurable).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from assistant.errors import ForOperator, TryAgain
from assistant.models.local.engine import CONTEXT, MARKS, Counts, Sampling, converted, room, turn_of, written
from assistant.models.stopping import Until
from knowledge import Turn
from knowledge.openvino_silenced import SILENCE, silence

CHUNK = 512  # tokens read between two looks at `stop`
BLOCK = 32  # tokens per block of the cache, fixed by OpenVINO's CPU plugin

_CONVERT = f"""
{SILENCE}
import os, shutil, sys
import openvino_genai
source, target = sys.argv[1:]
copy = os.path.join(target, "model.gguf")  # the result is written beside the file that is read
try:
    os.link(source, copy)
except OSError:
    shutil.copy(source, copy)
openvino_genai.LLMPipeline(copy, "CPU", ATTENTION_BACKEND="SDPA", enable_save_ov_model=True)
os.unlink(copy)
assert os.path.exists(os.path.join(target, "openvino_model.xml")), "OpenVINO wrote no model"
"""


class OpenVinoEngine:
    adapters = False

    def __init__(self, gguf: Path, *, guess: bool = False) -> None:
        """`guess`: prompt-lookup decoding. Takes seconds; seven more the first time."""
        silence()
        import openvino_genai

        version = metadata.version("openvino-genai")
        folder = converted(gguf.parent, f"openvino-{version}", _CONVERT, gguf)
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.enable_prefix_caching = True
        scheduler.num_kv_blocks = 2 * CONTEXT // BLOCK + 8
        self._genai: Any = openvino_genai
        self._folder = folder
        self._scores: Any = None
        self._pipeline: Any = openvino_genai.LLMPipeline(
            str(folder), "CPU", scheduler_config=scheduler, prompt_lookup=guess
        )
        self._guess = guess
        self._tokenizer: Any = self._pipeline.get_tokenizer()
        self._ends = {int(self._ids(mark)[0, 0]) for mark in MARKS}
        self._alone = threading.Lock()

    def prompt(self, turns: Sequence[Turn], template: str = "") -> str:
        return written(turns, template)

    def generate(
        self, prompt: str, sampling: Sampling, stop: threading.Event, adapter: Path | None = None
    ) -> Iterator[str | Counts]:
        with turn_of(self._alone, stop) as ours:
            if not ours:
                yield Counts(0, 0)
                return
            ids = self._ids(prompt)
            tokens = int(ids.shape[1])
            config = self._config(sampling, room(tokens, sampling))
            if not self._read(ids, stop):
                yield Counts(tokens, 0)
                return
            run = _Run(self._pipeline, self._genai.StreamingStatus, _tensor(ids), config, stop)
            until = Until(sampling.stop)
            try:
                for piece in run.pieces():
                    if text := until.take(piece):
                        yield text
                    if until.met:
                        break
                if text := until.take("", last=True):
                    yield text
            finally:
                run.close()  # the engine is free for the next caller only when this one's thread is done
            yield Counts(tokens, run.written)

    def scores(self, prompt: str, stop: threading.Event, adapter: Path | None = None) -> Any:
        """(vocabulary,) float32: the model's word on the token after `prompt`, before any setting.

        The pipeline keeps them to itself, so the same network is loaded once more when this is first asked: 1.5 s and
        some 230 MB, then 0.03 s for a short text."""
        import numpy as np

        with turn_of(self._alone, stop) as ours:
            if not ours:
                raise TryAgain("The model is busy. Try again.", spanish="El modelo está ocupado. Inténtalo otra vez.")
            ids = self._ids(prompt)
            room(int(ids.shape[1]), Sampling(1))
            self._scores = self._scores or self._network()
            self._scores.reset_state()
            tokens = int(ids.shape[1])
            given = {
                "input_ids": np.ascontiguousarray(ids), "attention_mask": np.ones((1, tokens), np.int64),
                "position_ids": np.arange(tokens)[None], "beam_idx": np.zeros(1, np.int32),
            }  # fmt: skip
            found = self._scores.infer(given)["logits"][0, -1].astype(np.float32)
            self._scores.reset_state()
            return found

    def piece(self, token: int) -> str:
        return str(self._tokenizer.decode([token], skip_special_tokens=False))

    def _network(self) -> Any:
        import openvino

        core = openvino.Core()
        return core.compile_model(core.read_model(self._folder / "openvino_model.xml"), "CPU").create_infer_request()

    def close(self) -> None:
        with self._alone:
            self._pipeline = self._scores = None

    def _ids(self, text: str) -> Any:
        # It cuts silently at the context's length; `room` refuses a prompt that fills the context, so nothing is lost.
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        return encoded.input_ids.data  # (1, tokens) int64

    def _read(self, ids: Any, stop: threading.Event) -> bool:
        """A long prompt in pieces, each kept in the cache, because nothing can stop OpenVINO inside a prompt. False
        when `stop` was set. No slower than in one piece: 6,928 tokens in 13.6 s and 14.9 s."""
        config = self._config(Sampling(), 1)
        for end in range(CHUNK, int(ids.shape[1]) - CHUNK // 2, CHUNK):
            if stop.is_set():
                return False
            self._pipeline.generate(_tensor(ids[:, :end]), config)
        return not stop.is_set()

    def _config(self, sampling: Sampling, tokens: int) -> Any:
        config = self._genai.GenerationConfig()
        config.max_new_tokens = tokens
        config.apply_chat_template = False
        config.stop_token_ids = self._ends
        config.repetition_penalty = sampling.repetition_penalty
        if self._guess:
            config.num_assistant_tokens, config.max_ngram_size = 5, 3  # copied from the prompt, checked in one go
        if sampling.temperature > 0:
            config.do_sample = True
            config.temperature = sampling.temperature
            config.top_p = sampling.top_p if sampling.top_p is not None else 1.0
            if sampling.top_k:
                config.top_k = sampling.top_k
            if sampling.seed is not None:
                config.rng_seed = sampling.seed
        return config


class _Run:
    """One generation in a thread of its own: OpenVINO calls back with text, the caller iterates."""

    def __init__(self, pipeline: Any, status: Any, ids: Any, config: Any, stop: threading.Event) -> None:
        self.written = 0  # tokens
        self._stop = stop
        self._closed = threading.Event()
        self._pieces: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()

        def heard(text: str) -> Any:
            self._pieces.put(text)
            return status.CANCEL if stop.is_set() or self._closed.is_set() else status.RUNNING

        def work() -> None:
            try:
                result = pipeline.generate(ids, config, heard)
                self.written = len(result.tokens[0]) if result.tokens else 0
                self._pieces.put(None)
            except Exception as error:
                self._pieces.put(error)

        self._thread = threading.Thread(target=work, name="openvino", daemon=True)
        self._thread.start()

    def pieces(self) -> Iterator[str]:
        while not self._stop.is_set():
            try:
                piece = self._pieces.get(timeout=0.1)
            except queue.Empty:
                continue
            if piece is None:
                return
            if isinstance(piece, Exception):
                raise ForOperator(
                    f"The model stopped with an error ({str(piece).splitlines()[-1][:200]}). "
                    "Try again; if it stays, run `afina doctor`."
                ) from piece
            if piece:
                yield piece

    def close(self) -> None:
        self._closed.set()
        self._thread.join()


def _tensor(ids: Any) -> Any:
    import numpy as np
    import openvino

    return openvino.Tensor(np.ascontiguousarray(ids))
