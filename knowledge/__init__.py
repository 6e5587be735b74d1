"""A document library that someone could use alone: files in, passages out, answers whose citations were checked.

Import from here; what lies below is private to the package. Importing opens no socket, makes no folder, reads no
environment and loads no vendor heavier than numpy.
"""

from knowledge.errors import ForOperator, ForPerson, KnowledgeError, TryAgain
from knowledge.values import (
    Answer,
    Basis,
    Box,
    Chunk,
    Citation,
    Document,
    Finding,
    FloatMatrix,
    Found,
    Line,
    Page,
    Passage,
    Progress,
    Span,
    Status,
    Turn,
    Usage,
    Wrote,
)

__all__ = [
    "Answer",
    "Basis",
    "Box",
    "Chunk",
    "Citation",
    "Document",
    "Finding",
    "FloatMatrix",
    "ForOperator",
    "ForPerson",
    "Found",
    "KnowledgeError",
    "Line",
    "Page",
    "Passage",
    "Progress",
    "Span",
    "Status",
    "TryAgain",
    "Turn",
    "Usage",
    "Wrote",
]
