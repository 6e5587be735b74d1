"""In: SmolLM2's GGUF, or a model folder with tokenizer.json. Out: a counter with that very tokenizer; torch stays out.

The GGUF names its way of cutting ("smollm": digits one by one, then GPT-2's). transformers 5.23 reads a GGUF without
the digits, so that spaces before a number come out otherwise ("a  12": 5 tokens instead of 4); OpenVINO, which answers
here, has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.history.words import whole
from tuning.counting.tokens import Piece, Rule, Template, part_of
from tuning.counting.vocabularies.gguf import head

_CONTROL = 3  # a token's type in a GGUF: a mark
_FALLBACK = re.compile(r"<0x([0-9A-F]{2})>")  # a byte that no token holds, as SentencePiece writes it


class OwnCounter:
    rule = Rule.OWN

    def __init__(self, model: str, tokenizer: Any, template: Template) -> None:
        """`tokenizer`: a `tokenizers.Tokenizer`."""
        self.model, self.template = model, template
        self._tokenizer = tokenizer
        self._letters = _letters() if _byte_level(tokenizer) else {}

    def count(self, text: str) -> int:
        return len(self._tokenizer.encode(whole(text), add_special_tokens=False).ids)

    def pieces(self, text: str) -> list[Piece]:
        text = whole(text)
        found = self._tokenizer.encode(text, add_special_tokens=False)
        pieces, at, last = [], 0, len(found.ids) - 1
        for place, (number, token, (_, end)) in enumerate(zip(found.ids, found.tokens, found.offsets, strict=True)):
            # What a tokenizer leaves out (WordPiece: spaces) goes to the token after it, at the end to the last.
            start, at = at, max(at, end) if place != last else len(text)
            pieces.append(Piece(number, text[start:at], start, at, self._part(token)))
        return pieces or ([Piece(None, text, 0, len(text))] if text else [])

    def note(self, language: str) -> str:
        return ""

    def text(self, ids: Sequence[int]) -> str:
        """What these tokens say, marks left out."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def save(self, file: Path) -> None:
        """As tokenizer.json: `in_folder` reads it back."""
        self._tokenizer.save(str(file))

    def _part(self, token: str) -> str:
        if fallback := _FALLBACK.fullmatch(token):
            return fallback[1] if int(fallback[1], 16) > 127 else ""
        if self._letters and all(letter in self._letters for letter in token):
            return part_of(bytes(self._letters[letter] for letter in token))
        return ""


def default(model: str, gguf: Path) -> OwnCounter:
    """The tokenizer that lies in the weights."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    said = head(gguf)
    tokens = said["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ", 1)) for merge in said["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={token: number for number, token in enumerate(tokens)}, merges=merges))
    words = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    digits = [pre_tokenizers.Digits(individual_digits=True)] if said["tokenizer.ggml.pre"] == "smollm" else []
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*digits, words])
    tokenizer.decoder = decoders.ByteLevel()
    marks = [token for token, kind in zip(tokens, said["tokenizer.ggml.token_type"], strict=True) if kind == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in marks])
    return OwnCounter(model, tokenizer, Template("chatml"))


def in_folder(model: str, folder: Path) -> OwnCounter:
    """Of a model folder as the Hugging Face hub has them. OSError or ValueError where it cannot be read."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the library raises nothing narrower
        raise ValueError(str(error).splitlines()[0][:200]) from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return OwnCounter(model, tokenizer, template_of(folder, tokenizer))


def template_of(folder: Path, tokenizer: Any) -> Template:
    """chat_template.jinja wins over the one in tokenizer_config.json; without any, lines."""
    config = _json(folder / "tokenizer_config.json")
    own = folder / "chat_template.jinja"
    text = own.read_text(encoding="utf-8") if own.is_file() else _template_in(config)
    names = dict(_names({**config, **_json(folder / "special_tokens_map.json")}))
    added = [token.content for token in tokenizer.get_added_tokens_decoder().values()]
    special = tuple(sorted({*added, *names.values()}, key=len, reverse=True))
    return Template("jinja" if text else "lines", text, special, names)


def _template_in(config: Mapping[str, Any]) -> str:
    said = config.get("chat_template") or ""
    if isinstance(said, list):  # several, each with a name
        said = next((one.get("template", "") for one in said if one.get("name") == "default"), "")
    return str(said)


def _names(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, said in config.items():
        token = said.get("content") if isinstance(said, dict) else said
        if name.endswith("_token") and isinstance(token, str) and token:
            yield name, token


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    said = json.loads(path.read_text(encoding="utf-8"))
    return said if isinstance(said, dict) else {}


def _byte_level(tokenizer: Any) -> bool:
    return "ByteLevel" in repr(tokenizer.decoder)


def _letters() -> dict[str, int]:
    """How a byte-level tokenizer writes bytes as letters: those that print as themselves, the others from Ā on."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printed]
    return {chr(byte): byte for byte in printed} | {chr(256 + at): byte for at, byte in enumerate(others)}
