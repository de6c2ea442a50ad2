"""What of an encoder stays as it is while the rest trains."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator


def _known(value: str) -> str:
    kind, _, argument = value.partition(":")
    if value in ("none", "all", "embeddings"):
        return value
    if kind == "top" and argument.strip().isdigit():
        return value
    if kind == "pattern" and argument:
        try:
            re.compile(argument)
        except re.error as error:
            raise ValueError(f"freeze pattern {argument!r} is not a regular expression ({error})") from error
        return value
    raise ValueError(f"freeze must be none, all, embeddings, top:N or pattern:REGEX, not {value!r}")


Freeze = Annotated[str, AfterValidator(_known)]
