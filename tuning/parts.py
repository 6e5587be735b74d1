"""In: settings. Out: the parts of the whole app: the assistant's, and the datasets. See assistant.service.parts."""

from __future__ import annotations

from collections.abc import Mapping

from assistant.service.parts import Parts as AssistantParts
from assistant.service.verb_table import VERBS as ASSISTANTS
from tuning.verb_table import VERBS


class Parts(AssistantParts):
    verbs: Mapping[str, str] = {**ASSISTANTS, **VERBS}
