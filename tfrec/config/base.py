"""What every section of the configuration has in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator, model_validator
from typing_extensions import Self

from tfrec.config.faults import told, unknown
from tfrec.config.meanings import checked
from tfrec.errors import ConfigError


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values are checked also when set later.

    Whoever makes one, in Python or from a file, is told all mistakes in one ConfigError.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True, validate_default=True, allow_inf_nan=False)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(f"{type(self).__name__}: {told(error, type(self))}.") from None

    # Tells pydantic that sections within sections need not go through this method, so that all faults come together.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in type(self).model_fields and not name.startswith("_"):
            raise ConfigError(f"{type(self).__name__}: {unknown((), name, type(self))}.")
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            raise ConfigError(f"{type(self).__name__}: {told(error, type(self))}.") from None

    @classmethod
    def model_validate(cls, obj: Any, **more: Any) -> Self:
        """See pydantic; raises ConfigError."""
        try:
            return super().model_validate(obj, **more)
        except ValidationError as error:
            raise ConfigError(f"{told(error, cls)}.") from None

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """The mapping that a short form stands for, where the section has one; other values as they are."""
        return value

    @model_validator(mode="before")
    @classmethod
    def _spelled_out(cls, value: Any) -> Any:
        return cls.spelled_out(value)

    @field_validator("*", mode="before")
    @classmethod
    def _of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields.get(info.field_name or "")
        return value if field is None else checked(value, field.annotation)
