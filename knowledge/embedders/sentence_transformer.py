"""In: a folder or hub repository that sentence-transformers reads. Out: an Embedder run by torch.

The path that works everywhere and for every model; imports torch, which takes seconds and 500 MB.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from knowledge.errors import ForOperator
from knowledge.values import FloatMatrix

BATCH_ROWS = 16  # the best of 8, 16, 32, 64 on two cores


class SentenceTransformerEmbedder:
    def __init__(self, name: str, source: str) -> None:
        import torch
        from sentence_transformers import SentenceTransformer
        from tokenizers import Tokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()  # it would write into the command line's output
        try:
            self._model: Any = SentenceTransformer(source, device="cuda" if torch.cuda.is_available() else "cpu")
            tokenizer = Tokenizer.from_str(self._model.tokenizer.backend_tokenizer.to_str())
        except (OSError, ValueError, AttributeError, ImportError) as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ForOperator(
                f"The embedder {name} could not be loaded ({first}). "
                "Name a folder or a hub repository that sentence-transformers reads."
            ) from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.name = name
        self.dimensions = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or 512)
        self._tokenizer = tokenizer
        self._lock = threading.Lock()  # its tokenizer cannot be borrowed twice at once

    def tokens(self, text: str) -> list[tuple[int, int]]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def embed(self, texts: Sequence[str]) -> FloatMatrix:
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        with self._lock:
            vectors = self._model.encode(
                list(texts), batch_size=BATCH_ROWS, normalize_embeddings=True, show_progress_bar=False
            )
        return np.asarray(vectors, np.float32)
