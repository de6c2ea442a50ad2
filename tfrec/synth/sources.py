"""All sources of synthetic samples by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from tfrec.errors import ConfigError
from tfrec.plugins import SOURCES as PLUGGED
from tfrec.plugins import plugin
from tfrec.synth.source import Source


@dataclass(frozen=True)
class SourceEntry:
    """How the stage treats a source.

    Attributes:
        make: gives the source; imports its module only then.
        reads: fields of section synthesis that its samples depend on.
        labels_itself: its items are labels of their own (from judgments, from purchases), not the text that a query was
            made from; the teacher never replaces them.
    """

    make: Callable[[], Source]
    reads: tuple[str, ...]
    labels_itself: bool = False


def _catalogue() -> Source:
    from tfrec.synth.catalogue import CatalogueSource

    return CatalogueSource()


def _templates() -> Source:
    from tfrec.synth.templates.source import TemplateSource

    return TemplateSource()


def _generator() -> Source:
    from tfrec.synth.generator.source import GeneratorSource

    return GeneratorSource()


def _llm() -> Source:
    from tfrec.synth.llm.source import LlmSource

    return LlmSource()


def _expansion() -> Source:
    from tfrec.synth.expansion import Expansion

    return Expansion()


def _behaviour() -> Source:
    from tfrec.synth.behaviour.behaviour_source import Behaviour

    return Behaviour()


SOURCES: dict[str, SourceEntry] = {
    "catalogue": SourceEntry(_catalogue, ("queries",)),
    "templates": SourceEntry(_templates, ("templates",)),
    "generator": SourceEntry(_generator, ("generator", "templates", "queries", "sources")),
    "llm": SourceEntry(_llm, ("llm",)),
    "expansion": SourceEntry(_expansion, ("expansion",), labels_itself=True),
    "behaviour": SourceEntry(_behaviour, ("behaviour",), labels_itself=True),
}


def label_themselves(sources: pl.Series) -> np.ndarray:
    """Whose items are labels of their own (see SourceEntry): bool [R] for the names of R samples' sources.

    Samples outlive the package that brought their source: those of a name that nobody brings any more have none.
    """
    known = [name for name in sources.unique() if name in SOURCES or plugin(PLUGGED, name) is not None]
    return sources.is_in([name for name in known if entry_of(name).labels_itself]).to_numpy()


def entry_of(name: str) -> SourceEntry:
    """The entry of a source; one of another package (entry points tfrec.sources) is its class, and reads no field here.

    Raises:
        ConfigError: there is none of this name; the nearest one is named.
    """
    if name not in SOURCES and (brought := plugin(PLUGGED, name)) is not None:
        return SourceEntry(brought, (), getattr(brought, "labels_itself", False))
    if name not in SOURCES:
        near = difflib.get_close_matches(name, SOURCES, n=1, cutoff=0.0)
        raise ConfigError(f"synthesis.sources: there is no source {name!r}; the nearest is {near[0]!r}.")
    return SOURCES[name]
