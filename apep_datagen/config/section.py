"""What all sections of `apep-datagen.toml` have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

__all__ = ["Count", "Name", "Positive", "Section"]

Positive = Annotated[float, Field(gt=0, le=100_000)]
# The databases hold 64 bits; a little less leaves room for sums.
Count = Annotated[int, Field(ge=1, lt=2**53)]


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("it holds a character that cannot be printed")
    return name


Name = Annotated[str, Field(min_length=1), AfterValidator(_printable)]


class Section(BaseModel):
    """A section: it takes the keys that it knows, of the right kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
