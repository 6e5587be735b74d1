"""In: tokenizer.json, tokenizer_config.json. Out: what a GGUF says of a tokenizer, so that it cuts text the same way.

gpt2     bytes as letters, merged by rank; `pre` names how a text is cut before (smollm: digits one by one)
llama    SentencePiece as tokenizer.json has it: "▁" for spaces, bytes where no token fits; ranks become scores
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.errors import ForPerson

NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6  # llama.cpp's types of tokens
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
_CUTS = {_LLAMA3: "llama-bpe", _LLAMA3.replace("{1,3}", ""): "qwen2"}  # the pattern → llama.cpp's name of it
_MARKS = {"bos": "bos_token", "eos": "eos_token", "unk": "unk_token", "pad": "pad_token"}


@dataclass(frozen=True, slots=True)
class Tokens:
    model: str  # "gpt2" | "llama"
    pre: str  # "" of a SentencePiece one
    tokens: list[str]
    kinds: list[int]
    merges: list[str]  # of gpt2
    scores: list[float]  # of llama
    marks: Mapping[str, int]  # "bos" | "eos" | "unk" | "pad" → id
    begins: bool  # whether a text begins with bos by itself

    def describe(self, writer: Any, template: str) -> None:
        """`writer`: gguf.GGUFWriter."""
        writer.add_tokenizer_model(self.model)
        if self.pre:
            writer.add_tokenizer_pre(self.pre)
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.kinds)
        if self.merges:
            writer.add_token_merges(self.merges)
        if self.scores:
            writer.add_token_scores(self.scores)
        for name, number in self.marks.items():
            getattr(writer, f"add_{name}_token_id")(number)
        writer.add_add_bos_token(self.begins)
        writer.add_add_space_prefix(self.model == "llama")
        if template:
            writer.add_chat_template(template)


def tokens(folder: Path, many: int) -> Tokens:
    """`many`: rows of the model's embeddings. ForPerson of a tokenizer that a GGUF cannot say."""
    try:
        said = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise _unsaid("it has no tokenizer.json", "no tiene tokenizer.json") from None
    model = said["model"]
    if model.get("type") != "BPE":
        raise _unsaid(f"its kind is {model.get('type')}", f"es del tipo {model.get('type')}")
    merges = [one if isinstance(one, str) else " ".join(one) for one in model["merges"]]
    if any(" " in part for one in model["merges"] if not isinstance(one, str) for part in one):
        raise _unsaid("its merges hold spaces", "sus fusiones contienen espacios")
    texts, kinds = _listed(model["vocab"], said.get("added_tokens", ()), many)
    marks = _marks(folder, {text: number for number, text in enumerate(texts)})
    first = _begins(said.get("post_processor"))
    if model.get("byte_fallback"):
        scores = _scores(texts, merges)
        kinds = [_piece(kind, text) for kind, text in zip(kinds, texts, strict=True)]
        return Tokens("llama", "", texts, kinds, [], scores, marks, first)
    return Tokens("gpt2", _pre(said.get("pre_tokenizer")), texts, kinds, merges, [], marks, first)


def begins(folder: Path) -> bool:
    """Whether its tokenizer puts a mark before a text by itself."""
    said = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return _begins(said.get("post_processor"))


def _listed(vocabulary: Mapping[str, int], added: Any, many: int) -> tuple[list[str], list[int]]:
    """Every id has a token: those that nobody named are unused ones."""
    found = {number: (text, NORMAL) for text, number in vocabulary.items()}
    for one in added:
        found[one["id"]] = (one["content"], CONTROL if one.get("special") else USER)
    many = max(many, max(found) + 1)
    listed = [found.get(number, (f"[PAD{number}]", UNUSED)) for number in range(many)]
    return [text for text, _ in listed], [kind for _, kind in listed]


def _pre(said: Mapping[str, Any] | None) -> str:
    steps = said.get("pretokenizers", [said]) if said else []
    kinds = [one.get("type") for one in steps]
    if kinds == ["ByteLevel"]:
        return "gpt-2"
    if kinds == ["Digits", "ByteLevel"] and steps[0].get("individual_digits"):
        return "smollm"
    pattern = steps[0].get("pattern", {}).get("Regex", "") if kinds == ["Split", "ByteLevel"] else ""
    if pattern in _CUTS and not steps[1].get("use_regex", True):
        return _CUTS[pattern]
    raise _unsaid("the way it cuts a text has no name there", "su forma de cortar el texto no tiene nombre ahí")


def _marks(folder: Path, ids: Mapping[str, int]) -> dict[str, int]:
    file = folder / "tokenizer_config.json"
    said = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    found = {}
    for name, key in _MARKS.items():
        token = said.get(key)
        text = token.get("content") if isinstance(token, dict) else token
        if isinstance(text, str) and text in ids:
            found[name] = ids[text]
    return found


def _begins(said: Mapping[str, Any] | None) -> bool:
    if not said:
        return False
    if said.get("type") == "Sequence":
        return any(_begins(one) for one in said["processors"])
    return said.get("type") == "TemplateProcessing" and "SpecialToken" in said["single"][0]


def _scores(texts: list[str], merges: list[str]) -> list[float]:
    """What is merged earlier is worth more."""
    rank: dict[str, int] = {}
    for number, merge in enumerate(merges):
        rank.setdefault(merge.replace(" ", "", 1), number)
    return [-float(rank.get(text, 999_999) + 1) for text in texts]


def _piece(kind: int, text: str) -> int:
    if len(text) == 6 and text.startswith("<0x") and text.endswith(">"):
        return BYTE
    return UNKNOWN if text == "<unk>" else kind


def _unsaid(why: str, spanish: str) -> ForPerson:
    return ForPerson(
        f"No GGUF is written of this model: its tokenizer cannot be said in one ({why}). Export it as merged.",
        spanish=f"No se puede escribir un GGUF de este modelo: su tokenizador no cabe en uno ({spanish}). Expórtalo "
        "fusionado.",
    )
