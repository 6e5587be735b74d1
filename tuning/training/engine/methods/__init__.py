"""In: a loaded base, settings. Out: what is trained of it. One table; each method is a function.

method       what is trained                                      written at the end
lora         two narrow matrices beside each linear layer         adapter/, PEFT's format
dora         the same, and each weight's length                   adapter/, PEFT's format
rslora       the same, scaled by the root of the rank             adapter/, PEFT's format
ia3          a factor for each channel of keys, values, feed-forward   adapter/, PEFT's format
prompt       vectors before the first token                       adapter/, PEFT's format
bottleneck   a narrow layer after attention and feed-forward      adapter/, our own: assistant.models.local.adapters
norms        the layer norms                                      model/
last         the last layers, and the last norm                   model/
full         everything                                           model/
"""

from __future__ import annotations

from collections.abc import Callable

from tuning.training.bases import Base
from tuning.training.engine.base import Loaded
from tuning.training.engine.methods import bottleneck, own, peft_kinds, prompt
from tuning.training.engine.methods.trained import Trained
from tuning.training.settings import Settings

Make = Callable[[Loaded, Base, Settings], Trained]
METHODS: dict[str, Make] = {
    "lora": peft_kinds.lora,
    "dora": peft_kinds.lora,
    "rslora": peft_kinds.lora,
    "ia3": peft_kinds.ia3,
    "prompt": prompt.make,
    "bottleneck": bottleneck.make,
    "norms": own.norms,
    "last": own.last,
    "full": own.full,
}
