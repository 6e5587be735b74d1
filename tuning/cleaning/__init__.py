"""In: examples. Out: what is wrong with them, and why; the examples without it.

    review          one example after the other: personal data, secrets, answers that teach nothing good
    mend            what can be put right without a person
    duplicates      the same, or nearly the same, twice
    contradictions  one question, two answers; preferences that lead in a circle
    leakage         what stands in training and in validation

Pure functions over streams: nothing is stored, nothing is dropped. Who builds a dataset decides with `stays_out`.
"""

from tuning.cleaning.contradictions import Conflict, contradictions, preference_cycles
from tuning.cleaning.duplicates import Group, exact_duplicates, near_duplicates
from tuning.cleaning.findings import CHECKS, EXCLUDED, Check, Finding, Mend, stays_out, title
from tuning.cleaning.leakage import Leak, leaks
from tuning.cleaning.review import check, mend, review
from tuning.cleaning.wording import compared

__all__ = [
    "CHECKS",
    "EXCLUDED",
    "Check",
    "Conflict",
    "Finding",
    "Group",
    "Leak",
    "Mend",
    "check",
    "compared",
    "contradictions",
    "exact_duplicates",
    "leaks",
    "mend",
    "near_duplicates",
    "preference_cycles",
    "review",
    "stays_out",
    "title",
]
