"""In: a causal model of transformers, token ids. Out: what it writes, one row as it comes or many rows at once, and how
likely given rows are. Knows nothing of prompts, templates and adapters' files.

Rows that are written together stand at the right, padded at the left; rows that are scored stand at the left, where
padding comes after all that counts. What is read before the first token (a trained prompt) is a cache, copied.

    given([[5, 6, 7], [8]])    input_ids [[5, 6, 7], [8, 8, 8]]    attention_mask [[1, 1, 1], [0, 0, 1]]
"""

from __future__ import annotations

import copy
import queue
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from assistant.errors import ForOperator

ROWS = 16  # written together: twice as many were no quicker for each on two cores
TOKENS = 16_384  # of a batch, padding and answers counted: some 400 MB of keys and values of the default model
SCORED = 2_048  # tokens scored at once: their logits are what fills memory
Row = tuple[Sequence[int], Sequence[bool]]


def given(rows: Sequence[Sequence[int]], read: Any, device: str) -> dict[str, Any]:
    """What `generate` takes. It wants ids for what the cache holds, as for padding: a row's last stands there, which is
    never looked at, and which a penalty for repetition knows anyway."""
    import torch

    longest, before = max(map(len, rows)), 0 if read is None else int(read.get_seq_length())
    ids = [[row[-1]] * (before + longest - len(row)) + [*row] for row in rows]
    mask = [[1] * before + [0] * (longest - len(row)) + [1] * len(row) for row in rows]
    tensors = {"input_ids": torch.tensor(ids, device=device), "attention_mask": torch.tensor(mask, device=device)}
    return tensors | ({} if read is None else {"past_key_values": _copied(read, len(rows))})


def reading(rows: Sequence[Sequence[int]], read: Any, device: str) -> dict[str, Any]:
    """What one pass forward takes: padded at the right."""
    import torch

    longest, before = max(map(len, rows)), 0 if read is None else int(read.get_seq_length())
    ids = [[*row] + [row[-1]] * (longest - len(row)) for row in rows]
    mask = [[1] * (before + len(row)) + [0] * (longest - len(row)) for row in rows]
    tensors = {"input_ids": torch.tensor(ids, device=device), "attention_mask": torch.tensor(mask, device=device)}
    return tensors | ({"use_cache": False} if read is None else {"past_key_values": _copied(read, len(rows))})


def _copied(read: Any, rows: int) -> Any:
    cache = copy.deepcopy(read)
    if rows > 1:
        cache.batch_repeat_interleave(rows)
    return cache


# ── one row, as it is written ────────────────────────────────────────────────────────────────────────────────────────


class Run:
    """`model.generate` in a thread of its own; the caller iterates over the text."""

    def __init__(self, model: Any, tokenizer: Any, arguments: Mapping[str, Any], stop: threading.Event) -> None:
        import torch
        from transformers import TextIteratorStreamer

        self.written = 0  # tokens
        self._stop, self._closed = stop, threading.Event()
        self._streamer: Any = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True, timeout=0.1)
        self._error: Exception | None = None
        criteria = _stopping(stop, self._closed)

        def work() -> None:
            try:
                with torch.inference_mode():
                    out = model.generate(**arguments, streamer=self._streamer, stopping_criteria=criteria)
                self.written = int(out.shape[1] - arguments["input_ids"].shape[1])
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
            raise _broken(self._error) from self._error

    def close(self) -> None:
        self._closed.set()
        self._thread.join()


# ── many rows at once ────────────────────────────────────────────────────────────────────────────────────────────────


def batches(lengths: Mapping[int, int], most: int, context: int, *, even: bool = False) -> Iterator[list[int]]:
    """`lengths`: a row's number → its tokens. Rows of like length together (`even`: of the same, so that nothing is
    padded), `most` tokens to be written for each; one that has no room for as many is alone, so that it does not cut
    the others short."""
    batch, longest = list[int](), 0
    for at in sorted(lengths, key=lambda one: -lengths[one]):
        alone = lengths[at] + most > context
        full = len(batch) == ROWS or (len(batch) + 1) * (longest + most) > TOKENS
        if batch and (alone or full or (even and lengths[at] != longest)):
            yield batch
            batch = []
        if alone:
            yield [at]
            continue
        longest = max(longest, lengths[at]) if batch else lengths[at]
        batch.append(at)
    if batch:
        yield batch


def together(model: Any, arguments: Mapping[str, Any], ends: Collection[int], stop: threading.Event) -> list[list[int]]:
    """What was written in each row, with the token that ended it. ForOperator where the model fails."""
    import torch

    try:
        with torch.inference_mode():
            out = model.generate(**arguments, stopping_criteria=_stopping(stop))
    except Exception as error:
        raise _broken(error) from error
    new = out[:, arguments["input_ids"].shape[1] :].tolist()
    return [row[: next((at + 1 for at, one in enumerate(row) if one in ends), len(row))] for row in new]


# ── how likely ───────────────────────────────────────────────────────────────────────────────────────────────────────


def scored(
    model: Any, rows: Sequence[Row], read: Any, device: str, stop: threading.Event
) -> list[list[tuple[float, bool]]]:
    import torch

    found = dict[int, list[tuple[float, bool]]]()
    order = sorted(range(len(rows)), key=lambda at: -len(rows[at][0]))
    while order:
        if stop.is_set():
            return []
        many = max(1, min(ROWS, SCORED // max(1, len(rows[order[0]][0]))))
        some, order = order[:many], order[many:]
        with torch.inference_mode():
            logits = model(**reading([rows[at][0] for at in some], read, device)).logits
        for at, one in zip(some, logits, strict=True):
            found[at] = _of_row(one, rows[at])
    return [found[at] for at in range(len(rows))]


def _of_row(logits: Any, row: Row) -> list[tuple[float, bool]]:
    """`logits`: (at least the row's tokens, vocabulary)."""
    import torch

    ids, counts = row
    places = [at for at in range(1, len(ids)) if counts[at]]
    if not places:
        return []
    right = torch.tensor([ids[at] for at in places], device=logits.device)
    said = logits[[at - 1 for at in places]].float()
    logarithms = said.gather(1, right[:, None])[:, 0] - said.logsumexp(1)
    return list(zip(logarithms.tolist(), (said.argmax(1) == right).tolist(), strict=True))


def _stopping(*events: threading.Event) -> Any:
    import torch
    from transformers import StoppingCriteria, StoppingCriteriaList

    class Stopped(StoppingCriteria):  # type: ignore[misc]
        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            done = any(event.is_set() for event in events)
            return torch.full((input_ids.shape[0],), done, dtype=torch.bool, device=input_ids.device)

    return StoppingCriteriaList([Stopped()])


def _broken(error: Exception) -> ForOperator:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return ForOperator(
        f"The model stopped with an error ({lines[-1][:200]}). Try again; if it stays, run `afina doctor`.",
        spanish=f"El modelo se detuvo con un error ({lines[-1][:200]}). Inténtalo otra vez; si sigue así, ejecuta "
        "`afina doctor`.",
    )
