"""Configuration of what is kept of shoppers' ids."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field, field_validator

from tfrec.config.base import Section


class PrivacyConfig(Section):
    """Shoppers' ids are replaced on reading by a keyed hash (BLAKE2b), so that nothing that is kept names a shopper.

    Who has the salt can tell whether an id is there; who has not, cannot. Without it every shopper is a new one: keep
    it as long as the prepared data, and not beside it.
    """

    hash_ids: list[Literal["search_log", "interactions"]] = Field(
        ["search_log"],
        description="Tables whose ids (user_id, visitor_id, session_id) are hashed. With both, a shopper has the same "
        "hash in both.",
    )
    salt_file: str = Field(
        "shoppers.salt",
        description="The shop's own salt, relative to runs_dir; made at the first use, readable by its owner alone. "
        "Beside it, .forgotten holds the hashes of those whom `tfrec forget` took out. ~ is yours.",
    )

    @field_validator("salt_file")
    @classmethod
    def _home(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("salt_file names a file")
        return os.path.expanduser(value)
