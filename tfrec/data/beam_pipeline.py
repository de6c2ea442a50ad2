"""Apache Beam pipelines, run to their end; Beam is in an environment of its own (docs/howto/outgrow.md)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tfrec.errors import ConfigError, TfrecError
from tfrec.missing_packages import packages_for

_SHOWN = 400


@contextmanager
def beam_pipeline(user: str, options: Sequence[str]) -> Iterator[Any]:
    """A pipeline to which the block adds transforms, and which runs when the block ends.

    Args:
        user: what needs it, such as "Encoding".
        options: of Beam, such as "--runner=FlinkRunner"; with none it runs in this process.

    Raises:
        ConfigError: the package apache-beam is missing.
        TfrecError: the pipeline failed; with TFREC_DEBUG=1 Beam's own error is raised.
    """
    with packages_for(f"{user} with Beam", ConfigError, "'tfrec-shop[beam]', in an environment of its own"):
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions

    try:
        with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
            yield pipeline
    except TfrecError:
        raise
    except Exception as error:  # of any runner
        if os.environ.get("TFREC_DEBUG") == "1":
            raise
        told = (str(error).strip().splitlines() or [""])[-1]  # what a worker said ends with what happened there
        raise TfrecError(
            f"The Beam pipeline with the options {' '.join(options)!r} failed ({type(error).__name__}: "
            f"{told[:_SHOWN]}): see Beam's messages above; TFREC_DEBUG=1 shows where."
        ) from None
