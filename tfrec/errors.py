"""Errors that a user can act on. Everything else is a bug and keeps its traceback."""

from __future__ import annotations


class TfrecError(Exception):
    """A mistake in input, configuration or surroundings, told in one sentence with the way out."""


class BusyError(TfrecError):
    """Another command is at work in the same folder."""


class ConfigError(TfrecError):
    """The configuration is wrong: an unknown key, a bad value, a missing file."""


class DataError(TfrecError):
    """A shop's file is missing, unreadable or inconsistent."""


class EncoderError(TfrecError):
    """An encoder cannot be found, fetched, verified or loaded."""


class TrainingError(TfrecError):
    """Training cannot start or go on."""


class WorkerLostError(TrainingError):
    """Another process of the same training is gone; a new start of all goes on."""


class EvaluationError(TfrecError):
    """There is nothing to evaluate, or it does not fit the model."""


class ExportError(TfrecError):
    """A model cannot be exported or an export cannot be trusted."""


class ServingError(TfrecError):
    """The server or the client cannot do what was asked."""
