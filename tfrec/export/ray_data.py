"""`tfrec encode` over Ray Data: a row is a shard, encoded by whichever machine of a cluster takes it.

Workers see the table, the export and the folder of the parts under the same paths, as on a shared disk.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from tfrec.errors import ConfigError, TfrecError
from tfrec.export.beam import encode_shard, together
from tfrec.export.encoded import Encoded, Encoding
from tfrec.missing_packages import packages_for

_SHOWN = 400


def encode_with_ray(
    export: Path, encoding: Encoding, folder: Path, address: str = "", processors: float = 1
) -> Encoded:
    """Runs all shards of an encoding as a dataset of Ray, to its end.

    Args:
        export: export folder, or one version of it.
        encoding: of the table, with how many shards there are.
        folder: of the parts.
        address: of a running cluster, such as "ray://head:10001"; "" starts one of this machine's cores.
        processors: that a shard takes of its machine.

    Returns:
        what all shards did.

    Raises:
        ConfigError: the package ray is missing.
        TfrecError: a shard failed, or there is no such cluster; what was encoded stays, and the same command goes on.
    """
    with packages_for("Encoding with Ray", ConfigError, "'tfrec-shop[ray]'"):
        import ray
        import ray.data

    encoding = dataclasses.replace(encoding, table=encoding.table.resolve())
    export, folder = export.resolve(), folder.resolve()

    def shard(row: dict[str, Any]) -> dict[str, Any]:
        try:
            done = encode_shard(int(row["id"]), export, encoding, folder)
        except TfrecError as error:  # trying again would not help, and Ray would bury what it says
            return {**dataclasses.asdict(Encoded()), "wrong": str(error)}
        return {**dataclasses.asdict(done), "wrong": ""}

    try:
        ray.init(address=address or "local", log_to_driver=False)
        shards = ray.data.range(encoding.count, override_num_blocks=encoding.count)
        told = shards.map(shard, num_cpus=processors).take_all()
    except Exception as error:  # of a worker, or of the cluster
        if os.environ.get("TFREC_DEBUG") == "1":
            raise
        said = (str(error).strip().splitlines() or [""])[-1]
        raise TfrecError(
            f"Ray at {address or 'this machine'} failed ({type(error).__name__}: {said[:_SHOWN]}): TFREC_DEBUG=1 shows "
            "where."
        ) from None
    finally:
        ray.shutdown()
    wrong = [one.pop("wrong") for one in told]
    if any(wrong):
        raise TfrecError(next(filter(None, wrong)))
    return together(Encoded(**one) for one in told)
