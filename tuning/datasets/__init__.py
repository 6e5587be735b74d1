"""In: examples, what a person does to them. Out: drafts, versions, splits, cards, in one SQL database.

drafts → examples → curation → versions → statistics → importing: each stands on the one before. Knows nothing of
pages, file formats or models.
"""

from __future__ import annotations

from tuning.datasets.drafts import UnknownDataset, UnknownExample
from tuning.datasets.importing import Importing
from tuning.datasets.values import (
    EVERYTHING,
    Added,
    Dataset,
    Difference,
    Facets,
    Filter,
    Import,
    Page,
    Statistics,
    Status,
    Stored,
    Version,
    VersionRow,
)

__all__ = [
    "EVERYTHING",
    "Added",
    "Dataset",
    "Datasets",
    "Difference",
    "Facets",
    "Filter",
    "Import",
    "Page",
    "Statistics",
    "Status",
    "Stored",
    "UnknownDataset",
    "UnknownExample",
    "Version",
    "VersionRow",
]


class Datasets(Importing):
    """The datasets of one data folder. Safe to call from any thread.

    Opening migrates the tables and undoes an import that a crash left half done, so only the owner of the data folder
    may open it.
    """
