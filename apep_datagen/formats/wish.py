"""What is asked of a form, and the shape that its rows then have."""

from __future__ import annotations

from dataclasses import dataclass, replace

from apep_datagen.core.errors import SettingsError
from apep_datagen.formats.registry import FORMATS
from apep_datagen.formats.shape import Calls, Rows, Shape, Thoughts, ToolRole

__all__ = ["Wish", "shape_of"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; None leaves it to each form.

    Attributes:
        rows: What is a row.
        thoughts: Which thoughts it has.
        tool_role: The role of results.
        calls: How calls are spelled.
        weights: Whether each message says whether it is trained on, in forms that have a place for that.
    """

    rows: Rows | None = None
    thoughts: Thoughts | None = None
    tool_role: ToolRole | None = None
    calls: Calls | None = None
    weights: bool = False


def shape_of(name: str, wish: Wish, otherwise: Shape | None = None) -> Shape:
    """Return how the rows of a form are built, as far as that was asked for; else so that nothing is lost.

    Args:
        name: The form's.
        wish: What was asked for.
        otherwise: How they are built where nothing was; if not given, as is the form's default.

    Raises:
        SettingsError: There is no such form, or it has no such rows.
    """
    form = FORMATS.get(name)
    if form is None:
        raise SettingsError(f"--format {name}: there is no such format; there are {', '.join(sorted(FORMATS))}")
    shape = otherwise or form.default
    for option, value, possible in (
        ("--rows", wish.rows, form.rows),
        ("--calls", wish.calls, form.calls),
        ("--tool-role", wish.tool_role, form.tool_roles),
    ):
        if value is not None and value not in possible:
            raise SettingsError(f"{option} {value}: the format {name} has {option} {' or '.join(possible)} only")
    calls = wish.calls or shape.calls
    if calls == "native" and wish.tool_role == "user":
        raise SettingsError("--tool-role user: with --calls native the role of results is tool; leave one of them out")
    # The role of native results says nothing of the one that they have as text.
    tool_role = shape.tool_role if shape.calls == calls else form.default.tool_role
    return replace(
        shape,
        rows=wish.rows or shape.rows,
        thoughts=wish.thoughts or shape.thoughts,
        tool_role="tool" if calls == "native" else wish.tool_role or tool_role,
        calls=calls,
        weights=form.has_weights and (wish.weights or shape.weights),
    )
