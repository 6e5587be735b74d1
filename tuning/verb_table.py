"""In: nothing. Out: this package's verbs, by the command line's words, and where each function lives."""

from __future__ import annotations

from collections.abc import Mapping

_IN: Mapping[str, tuple[str, ...]] = {  # module → the verbs in it: "build" is data_build, `afina data build`
    "drafts": ("list", "create", "change", "remove", "restore", "stats"),
    "gather": ("build", "import", "imports", "undo_import", "samples", "documents", "propose", "distil"),
    "curate": (
        "examples", "example", "approve", "drop", "reopen", "tag", "edit", "mask", "rank", "split", "merge", "undo",
    ),
    "clean": ("review", "mend"),
    "files": ("check", "convert", "estimate", "tokens"),
    "versions": ("freeze", "versions", "card", "diff", "export", "take"),
}  # fmt: skip

_JOBS = ("recipes", "estimate", "start", "list", "show", "watch", "cancel", "resume", "remove", "publish")

VERBS: Mapping[str, str] = (
    {
        f"data.{name.replace('_', '-')}": f"tuning.verbs.{module}:data_{name}"
        for module, names in _IN.items()
        for name in names
    }
    | {f"tune.{name}": f"tuning.verbs.tune:tune_{name}" for name in _JOBS}
    | {f"tune.{name}": f"tuning.verbs.share:tune_{name}" for name in ("export", "import", "history", "rollback")}
    | {f"eval.{name}": f"tuning.verbs.evaluate:eval_{name}" for name in ("job", "compare")}
)
