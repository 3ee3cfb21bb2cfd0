"""How many tokens a text is, by the tokenizer of a model."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from apep_datagen.core.errors import SettingsError
from apep_datagen.core.files import read_text

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["TokenCounter", "tokenizer_file"]

_FILE = "tokenizer.json"


class TokenCounter:
    """Counts tokens. It can be sent to a process, which reads the file anew.

    Args:
        path: A `tokenizer.json`, or a directory that holds one, such as that of a model.

    Attributes:
        path: The file.

    Raises:
        SettingsError: There is no such file, or it is no tokenizer.
    """

    def __init__(self, path: Path) -> None:
        self.path = tokenizer_file(path)
        _tokenizer(self.path)

    def count(self, text: str) -> int:
        """Return how many tokens a rendered text is; none is added, since the template wrote what belongs to it."""
        # `encode` would also work out where in the text each token stands.
        (encoding,) = _tokenizer(self.path).encode_batch_fast([text], add_special_tokens=False)
        return len(encoding)


def tokenizer_file(path: Path) -> Path:
    """Return the file of a tokenizer that was named by itself, or by the directory that holds it."""
    return path / _FILE if path.is_dir() else path


@lru_cache(maxsize=4)
def _tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer  # only who counts tokens waits for it

    if not path.exists():
        raise SettingsError(
            f"{path}: there is no such file; --tokenizer takes the tokenizer.json of a model, or its directory"
        )
    text = read_text(path, "the tokenizer", encoding="utf-8")
    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # the package raises nothing else
        reason = " ".join(str(error).split())[:120]
        raise SettingsError(
            f"{path}: this is no tokenizer.json of the package tokenizers ({reason}); most models have one beside"
            " their weights"
        ) from error
    # A file can say that texts are cut or filled up: that would count something else.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
