"""A few steps of a LoRA run, measured. Run in a process of its own, by `tuning.counting.probe`: torch is imported here.

In, one line on standard input: {"folder", "batch", "length", "small", "seconds"}. Out, lines:
{"loaded": seconds} · {"step": seconds} … · {"steps", "seconds", "peak", "small_seconds", "small_peak", "load",
"precision", "device"} or {"failed": reason}. Steps over one example of `small` tokens come first: they show what a step
takes before any token. The model learns nothing that is kept.

bf16 where the processor multiplies it, else float32. Only the base is bf16: PEFT keeps the adapter in float32, and no
autocast is used (around a whole loop it caches stale weights and learns nothing).
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

STEPS = 6
RANK = 8
Row = dict[str, Any]


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    try:
        _run(Path(asked["folder"]), asked)
    except Exception as error:
        _say(failed=(str(error).strip().splitlines() or [type(error).__name__])[0][:200])


def _run(folder: Path, asked: Row) -> None:
    import torch

    began = time.monotonic()
    model, device, precision = _model(folder, torch)
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=1e-4)
    load = time.monotonic() - began
    _say(loaded=load)
    until = time.monotonic() + asked["seconds"]

    def steps(batch: int, length: int, most: int) -> list[float]:
        """The first one of a shape also makes what later ones reuse: left out where there are more."""
        ids, times = torch.randint(0, model.config.vocab_size, (batch, length), device=device), list[float]()
        while len(times) < most and (time.monotonic() < until or not times):
            times.append(_step(model, ids, optimizer, torch, device))
            _say(step=times[-1])
        return times[1:] or times

    _memory(torch, device, fresh=True)
    small, small_peak = min(steps(1, asked["small"], 3)), _memory(torch, device)
    measured = steps(asked["batch"], asked["length"], STEPS)
    _say(
        steps=len(measured), seconds=statistics.median(measured), peak=_memory(torch, device), small_seconds=small,
        small_peak=small_peak, load=load, precision=precision, device=device,
    )  # fmt: skip


def _model(folder: Path, torch: Any) -> tuple[Any, str, str]:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    kind = torch.bfloat16 if _quick_bf16(torch, device) else torch.float32
    base = AutoModelForCausalLM.from_pretrained(
        str(folder), dtype=kind, use_safetensors=True, trust_remote_code=False, local_files_only=True
    )
    base.config.use_cache = False
    config = LoraConfig(r=RANK, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(base.to(device), config).train()
    return model, device, str(kind).removeprefix("torch.")


def _quick_bf16(torch: Any, device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    known = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(test() for test in known if test)


def _step(model: Any, ids: Any, optimizer: Any, torch: Any, device: str) -> float:
    began = time.monotonic()
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.monotonic() - began


def _memory(torch: Any, device: str, fresh: bool = False) -> int:
    """Bytes at most so far; `fresh`: bytes now, and the most is counted from here on."""
    if device == "cuda":
        if fresh:
            torch.cuda.reset_peak_memory_stats()
            return int(torch.cuda.memory_allocated())
        return int(torch.cuda.max_memory_allocated())
    try:
        if fresh:
            Path("/proc/self/clear_refs").write_text("5")  # Linux: forget the most so far
        lines = Path("/proc/self/status").read_text().splitlines()
        wanted = "VmRSS:" if fresh else "VmHWM:"
        return int(next(line for line in lines if line.startswith(wanted)).split()[1]) * 1024
    except (OSError, StopIteration):
        import resource  # Windows has none: there the reason is told

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def _say(**row: Any) -> None:
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
