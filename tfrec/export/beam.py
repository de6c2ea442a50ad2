"""`tfrec encode` as an Apache Beam pipeline: an element is a shard, encoded as by a process of its own.

Workers see the table, the export and the folder of the parts under the same paths, as on a shared disk, and have
apache-beam beside TensorFlow: an environment of its own (docs/howto/outgrow.md).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from tfrec.data.beam_pipeline import beam_pipeline
from tfrec.export.encoded import Encoded, Encoding, encode_table
from tfrec.files import read_json, write_json

_TOLD = "beam.json"


def encode_shard(number: int, export: Path, encoding: Encoding, folder: Path) -> Encoded:
    """Encodes one shard; parts that are there are not encoded again, so that an element may be tried twice.

    Args:
        number: of the shard.
        export: export folder, or one version of it.
        encoding: of the table, with how many shards there are.
        folder: of the parts.
    """
    from tfrec.export.loaded import LoadedModel

    return encode_table(LoadedModel.open(export), dataclasses.replace(encoding, number=number), folder)


def together(some: Iterable[Encoded]) -> Encoded:
    """What several shards did."""
    done = Encoded()
    for one in some:
        done = Encoded(done.rows + one.rows, done.parts + one.parts, done.found + one.found)
    return done


def encode_with_beam(export: Path, encoding: Encoding, folder: Path, options: Sequence[str]) -> Encoded:
    """Runs all shards of an encoding as a pipeline, to its end.

    Args:
        export, encoding, folder: see `encode_shard`.
        options: of Beam, such as "--runner=FlinkRunner"; with none it runs in this process.

    Returns:
        what all shards did; it is in FOLDER/beam.json, too, where the runner leaves it.

    Raises:
        ConfigError: the package apache-beam is missing.
        TfrecError: the pipeline failed; what was encoded stays, and the same command goes on.
    """
    encoding = dataclasses.replace(encoding, table=encoding.table.resolve())
    folder, told = folder.resolve(), folder.resolve() / _TOLD
    with beam_pipeline("Encoding", options) as pipeline:
        import apache_beam as beam

        told.unlink(missing_ok=True)
        _ = (
            pipeline
            | "Shards" >> beam.Create(range(encoding.count))
            | "Apart" >> beam.Reshuffle()
            | "Encode" >> beam.Map(encode_shard, export.resolve(), encoding, folder)
            | "Together" >> beam.CombineGlobally(together)
            | "Tell" >> beam.Map(_tell, told)
        )
    return Encoded(**read_json(told))


def _tell(done: Encoded, file: Path) -> None:
    write_json(file, dataclasses.asdict(done))
