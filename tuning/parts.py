"""In: settings. Out: the parts of the whole app: the assistant's, and the datasets. See assistant.service.parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from assistant.service.parts import Parts as AssistantParts
from assistant.service.verb_table import VERBS as ASSISTANTS
from tuning.verb_table import VERBS

if TYPE_CHECKING:
    from tuning.counting.vocabularies import Tokenizers
    from tuning.datasets import Datasets
    from tuning.jobs import Jobs
    from tuning.jobs.published import Published


class Parts(AssistantParts):
    verbs: Mapping[str, str] = {**ASSISTANTS, **VERBS}

    @property
    def datasets(self) -> Datasets:
        def make() -> Datasets:
            from tuning.datasets import Datasets

            return Datasets(self.engine, self.history)

        return self._once("datasets", make)

    @property
    def jobs(self) -> Jobs:
        def make() -> Jobs:
            from tuning.jobs import Jobs

            return Jobs(self.datasets, self.home, self.weights)

        return self._once("jobs", make)

    @property
    def published(self) -> Published:
        def make() -> Published:
            from tuning.jobs.published import Published

            return Published(self.engine, self.personas)

        return self._once("published", make)

    @property
    def tokenizers(self) -> Tokenizers:
        def make() -> Tokenizers:
            from tuning.counting.vocabularies import Tokenizers

            return Tokenizers(self.weights)

        return self._once("tokenizers", make)
