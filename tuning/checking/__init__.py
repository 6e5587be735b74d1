"""Every problem of a training file before anyone pays: with its line, its field, the reason and what to do.

    for found in check(Path("train.jsonl"), "openai", limits=Limits(tokens=16_385), count=tokenizer):
        match found:
            case Problem(line, field, code, severity): print(line, field, found.said("es"), found.mended("es"))
            case Summary(rows, errors, warnings): …                    the last one

files · lines · faults   bytes to rows; what is wrong with the JSON
rows/                    the rules of each family of formats
texts · overlap          special tokens and half characters; rows that are in the validation file too
limits.json              how much a provider takes, dated
"""

from tuning.checking.check import check
from tuning.checking.values import Limits, Problem, Severity, Summary

__all__ = ["Limits", "Problem", "Severity", "Summary", "check"]
