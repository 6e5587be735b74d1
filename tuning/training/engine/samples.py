"""What the model answers as it learns: fixed prompts, the likeliest token each time."""

from __future__ import annotations

from typing import Any

import torch

from tuning.counting.shown import shown
from tuning.training.bases import Base
from tuning.training.engine.guard import Stopped
from tuning.training.engine.methods.trained import Trained
from tuning.training.engine.step import Asked
from tuning.training.settings import Sample, Settings
from tuning.values import Example, Kind, Role, Turn


def answers(trained: Trained, base: Base, settings: Settings, asked: Asked) -> list[dict[str, str]]:
    """[{"prompt": "…", "system": "…", "text": "…"}]; Stopped between two tokens."""
    trained.model.eval()
    return [
        {"prompt": one.prompt, "system": one.system, "text": _answer(one, trained, base, settings.sample_tokens, asked)}
        for one in settings.samples
    ]


def asking(sample: Sample, base: Base) -> list[int]:
    """The ids before an answer, as an example with an answer has them."""
    system = (Turn(Role.SYSTEM, sample.system),) if sample.system else ()
    turns = (*system, Turn(Role.USER, sample.prompt), Turn(Role.ASSISTANT, "."))
    tokens = shown(Example(Kind.CONVERSATION, turns=turns), base.counter)
    first = next((at for at, token in enumerate(tokens) if token.learn), len(tokens))
    return [token.id for token in tokens[:first] if token.id is not None]


@torch.no_grad()  # type: ignore[untyped-decorator]
def _answer(sample: Sample, trained: Trained, base: Base, most: int, asked: Asked) -> str:
    model, device = trained.model, trained.loaded.device
    ends = _ends(model, base)
    ids, past, written = torch.tensor([asking(sample, base)], device=device), None, list[int]()
    embedded = model.get_input_embeddings()(ids)
    if trained.vectors is not None:
        embedded = torch.cat([trained.vectors.to(embedded.dtype)[None], embedded], 1)
    casts = trained.whole and trained.loaded.compute != torch.float32
    while len(written) < most:
        if asked():
            raise Stopped
        with torch.autocast(device, dtype=trained.loaded.compute, enabled=casts):
            out = model(inputs_embeds=embedded, past_key_values=past, use_cache=True, logits_to_keep=1)
        token, past = int(out.logits[0, -1].argmax()), out.past_key_values
        if token in ends:
            break
        written.append(token)
        embedded = model.get_input_embeddings()(torch.tensor([[token]], device=device))
    return base.counter.text(written)  # type: ignore[attr-defined,no-any-return]


def _ends(model: Any, base: Base) -> set[int]:
    said = getattr(model.generation_config, "eos_token_id", None)
    found = {int(one) for one in (said if isinstance(said, list) else [said]) if one is not None}
    for mark in base.counter.template.special:
        pieces = base.counter.pieces(mark)
        if len(pieces) == 1 and pieces[0].id is not None:
            found.add(pieces[0].id)
    return found
