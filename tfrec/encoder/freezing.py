"""Which of an encoder's variables training may change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tfrec.errors import EncoderError

_LAYER = re.compile(r"(?:^|[/._])layers?[_./]?(\d+)(?:[/._]|$)")
_EMBEDDING = re.compile(r"embedding", re.IGNORECASE)


def split_trainable(variables: Sequence[Any], freeze: str) -> tuple[list[Any], list[Any]]:
    """Divides variables into those that train and those that are frozen.

    Args:
        variables: objects with a `name`.
        freeze: "none", "all", "embeddings" (the embedding tables and their LayerNorm), "top:N" (only the top N layers
            and what lies above them train), or "pattern:REGEX" (variables whose name the expression finds are frozen).

    Returns:
        (trainable, frozen), both in the order given.

    Raises:
        EncoderError: the rule is unknown or concerns no variable.
    """
    kind, _, argument = freeze.partition(":")
    names = [variable.name.split(":")[0] for variable in variables]
    if kind == "none":
        frozen = [False] * len(names)
    elif kind == "all":
        frozen = [True] * len(names)
    elif kind == "embeddings":
        frozen = [bool(_EMBEDDING.search(name)) for name in names]
    elif kind == "top":
        frozen = _below_top(names, argument)
    elif kind == "pattern":
        frozen = [bool(re.search(argument, name)) for name in names]
    else:
        raise EncoderError(f"encoder.freeze must be none, all, embeddings, top:N or pattern:REGEX, not {freeze!r}.")
    if kind in ("embeddings", "pattern") and not any(frozen):
        shown = ", ".join(names[:: max(1, len(names) // 5)][:6])
        raise EncoderError(f"encoder.freeze {freeze!r} matches none of the encoder's variables; some are: {shown}.")
    pairs = list(zip(variables, frozen, strict=True))
    return [v for v, is_frozen in pairs if not is_frozen], [v for v, is_frozen in pairs if is_frozen]


def _below_top(names: Sequence[str], argument: str) -> list[bool]:
    """Frozen: embeddings and every layer below the top N; variables without a layer above them (a pooler) train."""
    if not argument.strip().isdigit():
        raise EncoderError(f"encoder.freeze top:N needs a number of layers, not {argument!r}.")
    found = [_LAYER.search(name) for name in names]
    numbers = [int(match.group(1)) if match else None for match in found]
    known = [number for number in numbers if number is not None]
    if not known:
        raise EncoderError(
            f"encoder.freeze top:{argument} finds no layer numbers in the encoder's variable names, such as "
            f"{names[0]!r}: use pattern:REGEX instead."
        )
    first_free = max(known) + 1 - int(argument)
    return [
        bool(_EMBEDDING.search(name)) if number is None else number < first_free
        for name, number in zip(names, numbers, strict=True)
    ]
