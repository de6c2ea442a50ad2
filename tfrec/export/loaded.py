"""An export in this process: the signatures as Python methods on plain lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfrec.errors import ExportError
from tfrec.export.manifest import MANIFEST, read_manifest, verify_manifest
from tfrec.export.version_names import version_number
from tfrec.progress import Progress
from tfrec.retrieval.conditions import wrong_condition, wrong_diversity

_LARGEST_BATCH = 128
_SCORES_PER_BATCH = 1 << 24  # 64 MiB of float32
Filters = Sequence[str] | None


class Ranking(NamedTuple):
    """Ranked items of B requests.

    Attributes:
        item_ids: object array of str [B, k]; "" where fewer items were left to give.
        scores: float32 [B, k]; -inf there. `hits` leaves such places out.
    """

    item_ids: np.ndarray
    scores: np.ndarray

    def hits(self, row: int) -> list[tuple[str, float]]:
        """The items of one request, best first: (item id, score)."""
        pairs = zip(self.item_ids[row], self.scores[row], strict=True)
        return [(item_id, float(score)) for item_id, score in pairs if item_id]


class Wishes(NamedTuple):
    """What a caller wants besides the best items.

    Attributes:
        filters: conditions on columns.
        diversity: 0..1.
        exclude_seen: whether items of the history stay out; None where there is no history.
        as_usual: what exclude_seen is in the signature without wishes.
    """

    filters: Filters
    diversity: float
    exclude_seen: bool | None = None
    as_usual: bool | None = None

    @property
    def any(self) -> bool:
        """Whether the plain signature does not do."""
        return bool(self.filters) or self.diversity != 0 or self.exclude_seen != self.as_usual


def newest_version(base: Path) -> Path | None:
    """The folder with the greatest integer name below `base`, or None."""
    versions = [folder for folder in Path(base).glob("[0-9]*") if folder.is_dir() and _number(folder) >= 0]
    return max(versions, key=lambda folder: (_number(folder), -len(folder.name)), default=None)


def _number(folder: Path) -> int:
    number = version_number(folder.name)
    return -1 if number is None else number


class LoadedModel:
    """A loaded export. Many rows are answered in batches of similar length; answers come in the order of the rows.

    Args:
        folder: the version folder.
        manifest: its manifest.
        loaded: what `tf.saved_model.load` gave.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any], loaded: Any) -> None:
        self.folder, self.manifest = folder, manifest
        self._loaded = loaded  # signatures alone do not keep variables and tables alive
        self._batch = int(np.clip(_SCORES_PER_BATCH // max(int(manifest.get("items", 1)), 1), 1, _LARGEST_BATCH))

    @classmethod
    def open(cls, path: Path | str, verify: bool = True) -> LoadedModel:
        """Loads an export.

        Args:
            path: a version folder, or the folder above, of which the newest version is taken.
            verify: compare every file with the manifest first.

        Raises:
            ExportError: there is no export, it is not what was exported, or TensorFlow cannot load it.
        """
        folder = Path(path)
        if not (folder / "saved_model.pb").exists() and not (folder / MANIFEST).exists():
            newest = newest_version(folder) if folder.is_dir() else None
            if newest is None:
                raise ExportError(f"{folder} holds no export (no version folder such as 1): run `tfrec export` first.")
            folder = newest
        manifest = verify_manifest(folder) if verify else read_manifest(folder)

        from tfrec.tensorflow_setup import tf

        # isort: split
        import tensorflow_text  # noqa: F401  (registers the tokenizer's ops)

        try:
            return cls(folder, manifest, tf.saved_model.load(str(folder)))
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise ExportError(f"TensorFlow cannot load {folder} ({reason}): export the model again.") from error

    def search(
        self, queries: Sequence[str], k: int = 10, description: str = "", *, filters: Filters = None,
        diversity: float = 0.0,
    ) -> Ranking:  # fmt: skip
        """Items for typed queries.

        Args:
            queries: B texts; a blank one gets what sells.
            k: items per query, at least 1; at most all items come.
            description: shown with the progress; empty shows none.
            filters: conditions that items must satisfy, such as ["category=shoes", "price<=50"], for all queries alike.
            diversity: 0 (none) to 1: how much being like an item further up costs.
        """
        return self._rank("search", {"query": queries}, k, description, Wishes(filters, diversity))

    def recommend(
        self, histories: Sequence[Sequence[str]], k: int = 10, description: str = "", *, filters: Filters = None,
        diversity: float = 0.0, exclude_seen: bool = True,
    ) -> Ranking:  # fmt: skip
        """Items for shoppers' histories (item ids, oldest first); without the items of the history, unless wanted."""
        return self._rank(
            "recommend", {"history": histories}, k, description, Wishes(filters, diversity, exclude_seen, True)
        )

    def personalised_search(
        self, queries: Sequence[str], histories: Sequence[Sequence[str]], k: int = 10, description: str = "", *,
        filters: Filters = None, diversity: float = 0.0, exclude_seen: bool = False,
    ) -> Ranking:  # fmt: skip
        """Items for queries of shoppers with a history; either may be empty."""
        rows = {"query": queries, "history": histories}
        return self._rank("personalised_search", rows, k, description, Wishes(filters, diversity, exclude_seen, False))

    def similar_items(
        self, item_ids: Sequence[str], k: int = 10, description: str = "", *, filters: Filters = None,
        diversity: float = 0.0,
    ) -> Ranking:  # fmt: skip
        """Items like the given ones, without these themselves; nothing for an unknown id."""
        return self._rank("similar_items", {"item_id": item_ids}, k, description, Wishes(filters, diversity))

    def embed_query(self, queries: Sequence[str], histories: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Unit vectors float32 [B, D] of queries, with histories or without."""
        rows = {"query": queries, "history": [[]] * len(queries) if histories is None else histories}
        return self._call("embed_query", rows, {}, "")["vectors"]

    def embed_item(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors float32 [B, D] of items that are not in the catalogue, from their rendered texts."""
        return self._call("embed_item", {"text": texts}, {}, "")["vectors"]

    def _rank(
        self, signature: str, rows: dict[str, Sequence[Any]], k: int, description: str, wishes: Wishes
    ) -> Ranking:
        if k < 1:
            raise ExportError(f"k must be at least 1, not {k}.")
        scalars: dict[str, Any] = {"k": np.int32(min(k, 2**31 - 1))}
        if wishes.any:
            self._check(wishes)
            signature += "_filtered"
            if signature not in self._loaded.signatures:
                raise ExportError(f"{self.folder} was exported without filters and diversity: export the model again.")
            count = len(next(iter(rows.values())))
            rows = {**rows, "filters": [list(wishes.filters or [])] * count}
            scalars["diversity"] = np.float32(wishes.diversity)
            if wishes.exclude_seen is not None:
                scalars["exclude_seen"] = np.bool_(wishes.exclude_seen)
        found = self._call(signature, rows, scalars, description)
        decode = np.frompyfunc(lambda raw: raw.decode("utf-8", "replace"), 1, 1)
        return Ranking(decode(found["item_ids"]), found["scores"])

    def _check(self, wishes: Wishes) -> None:
        if isinstance(wishes.filters, str):
            raise ExportError('Filters are a list of conditions, such as ["price<=50"].')
        columns = self.manifest.get("retrieval", {}).get("filter_kinds")
        told = wrong_diversity(wishes.diversity) or wrong_condition(wishes.filters or (), columns)
        if told:
            raise ExportError(f"{told[0].upper()}{told[1:]}.")

    def _call(
        self, signature: str, rows: dict[str, Sequence[Any]], scalars: dict[str, Any], description: str
    ) -> dict[str, np.ndarray]:
        from tfrec.tensorflow_setup import tf

        function = self._loaded.signatures[signature]
        columns = [list(column) for column in rows.values()]
        count = len(columns[0])
        if any(len(column) != count for column in columns):
            raise ExportError(f"{count} queries need as many histories, not {len(columns[1])}.")
        order = sorted(range(count), key=lambda row: [len(column[row]) for column in columns])
        whole: dict[str, np.ndarray] = {}
        with Progress(description, count) as progress:
            for start in range(0, max(count, 1), self._batch):
                chosen = order[start : start + self._batch]
                tensors = {
                    name: tf.constant(_tensor_of(name, [column[row] for row in chosen]), tf.string)
                    for name, column in zip(rows, columns, strict=True)
                }
                tensors |= {name: tf.constant(value) for name, value in scalars.items()}
                try:
                    answer = function(**tensors)
                except tf.errors.InvalidArgumentError as error:
                    raise ExportError(_told(error)) from error
                for name, value in answer.items():
                    part = value.numpy()
                    if name not in whole:
                        whole[name] = np.empty((count, *part.shape[1:]), part.dtype)
                    whole[name][chosen] = part
                progress.advance(len(chosen))
        return whole


def _tensor_of(name: str, values: list[Any]) -> np.ndarray:
    """Texts as bytes [B]; histories as bytes [B, H], filled up with empty strings."""
    if name not in ("history", "filters"):
        return _bytes_of(values, (len(values),))
    width = max([1, *map(len, values)])
    filled = [[*items, *[""] * (width - len(items))] for items in values]
    return _bytes_of([item for items in filled for item in items], (len(values), width))


def _bytes_of(texts: list[str], shape: tuple[int, ...]) -> np.ndarray:
    array = np.empty(len(texts), dtype=object)
    array[:] = [text.encode("utf-8", "replace") for text in texts]
    return array.reshape(shape)


def _told(error: Any) -> str:
    """The graph's complaint in one line: what is wrong, and with what."""
    text = " ".join(str(error.message).split())
    return re.sub(r"^.*?(?:assertion failed: )", "", text).split(" [[")[0][:300] + "."
