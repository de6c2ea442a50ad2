"""An export in this process: the signatures as Python methods on plain lists."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tfrec.errors import ExportError
from tfrec.export.explaining import Explained, explain
from tfrec.export.inputs import conditions, count, image_rows, queries_and_histories, share_of, text_lists, texts
from tfrec.export.manifest import MANIFEST, read_manifest, verify_manifest
from tfrec.export.ranking import Filters, Ranking, Wishes
from tfrec.export.shown_items import SHOWN_ITEMS_FILE
from tfrec.export.tensors import tensor_of, told
from tfrec.export.understood import Understood, understood
from tfrec.export.version_names import newest_version
from tfrec.progress import Progress
from tfrec.retrieval.conditions import wrong_condition, wrong_diversity

_LARGEST_BATCH = 128
_SCORES_PER_BATCH = 1 << 24  # 64 MiB of float32


class LoadedModel:
    """A loaded export. Many rows are answered in batches of similar length; answers come in the order of the rows.

    Args:
        folder: the version folder.
        manifest: its manifest.
        loaded: what `tf.saved_model.load` gave.
        items: what is known of the items, with item_id and title; None reads what the export shows of them.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any], loaded: Any, items: pl.DataFrame | None = None) -> None:
        self.folder, self.manifest = folder, manifest
        self._items = items
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

    def __repr__(self) -> str:
        scorers = ", ".join(self.manifest.get("retrieval", {}).get("scorers", ["dense"]))
        return f"LoadedModel('{self.folder}': {self.manifest.get('items', 0):,} items, ranked by {scorers})"

    def search(
        self, queries: str | Sequence[str], k: int = 10, description: str = "", *, filters: Filters = None,
        diversity: float = 0.0, interpret: bool = False,
    ) -> Ranking:  # fmt: skip
        """Items for typed queries.

        Args:
            queries: one text, or B texts; a blank one gets what sells.
            k: items per query, at least 1; at most all items come.
            description: shown with the progress; empty shows none.
            filters: conditions that items must satisfy, such as ["category=shoes", "price<=50"], for all queries alike.
            diversity: 0 (none) to 1: how much being like an item further up costs.
            interpret: take price wishes in the query ("under 50") as conditions, and put items that hold what it does
                not want ("without leather") last; see `understand`.

        Raises:
            ExportError: an argument is of another kind (of all methods here), or a condition cannot be answered.
        """
        return self._rank(
            "search",
            {"query": texts(queries, "queries")},
            k,
            description,
            Wishes(filters, diversity, interpret=interpret),
        )

    def recommend(
        self, histories: Sequence[Sequence[str]], k: int = 10, description: str = "", *, filters: Filters = None,
        diversity: float = 0.0, exclude_seen: bool = True,
    ) -> Ranking:  # fmt: skip
        """Items for shoppers' histories, a list of item ids (oldest first) for each shopper.

        Without the items of the history, unless wanted. One shopper's is [["P1", "P2"]]; ["P1", "P2"] is refused.
        """
        rows = {"history": text_lists(histories, "histories")}
        return self._rank("recommend", rows, k, description, Wishes(filters, diversity, exclude_seen, True))

    def personalised_search(
        self, queries: str | Sequence[str], histories: Sequence[Sequence[str]], k: int = 10, description: str = "", *,
        filters: Filters = None, diversity: float = 0.0, exclude_seen: bool = False, interpret: bool = False,
    ) -> Ranking:  # fmt: skip
        """Items for queries of shoppers with a history; either may be empty."""
        wishes = Wishes(filters, diversity, exclude_seen, False, interpret)
        return self._rank("personalised_search", queries_and_histories(queries, histories), k, description, wishes)

    def similar_items(
        self, item_ids: str | Sequence[str], k: int = 10, description: str = "", *, filters: Filters = None,
        diversity: float = 0.0, relation: str | None = None,
    ) -> Ranking:  # fmt: skip
        """Items like the given ones (one id or several), without these themselves; nothing for an unknown id.

        With a relation ("substitute", "goes with") only those that data.relations relates to them so, the likest first.
        """
        rows = {"item_id": texts(item_ids, "item_ids")}
        return self._rank("similar_items", rows, k, description, Wishes(filters, diversity, relation=relation))

    def search_image(
        self, images: bytes | Sequence[bytes], k: int = 10, description: str = "", *,
        words: str | Sequence[str] | None = None, words_share: float | None = None, filters: Filters = None,
        diversity: float = 0.0,
    ) -> Ranking:  # fmt: skip
        """Items whose picture is like a picture, or like a picture and words. Items without a picture never come.

        The export must be of a two-sided model.images.encoder; its limits are in export.pictures.

        Args:
            images: a JPEG or PNG file's bytes, or several files'.
            k, description, filters, diversity: see `search`.
            words: for all pictures, or for each; blank ones have no say.
            words_share: 0 (the order by pictures alone) to 1 (by words alone); None takes export.pictures.words_share.

        Raises:
            ExportError: a file is too large, of another kind, cut off or broken; or the export has no such signature.
        """
        wishes = Wishes(filters, diversity)
        if words is not None or words_share is not None or wishes.any:
            words, wishes = "" if words is None else words, wishes._replace(share=share_of(words_share))
        return self._rank("search_image", image_rows(images, words), k, description, wishes)

    def explain(
        self, queries: str | Sequence[str] | None = None, histories: Sequence[Sequence[str]] | None = None,
        item_ids: Sequence[Sequence[str]] | None = None, k: int = 10,
    ) -> list[list[Explained]]:  # fmt: skip
        """Why items are found: what each scorer adds to their scores, and the typed words that they hold.

        Args:
            queries: one text, or B texts; None for requests of a history alone.
            histories: B lists of item ids; None for requests of words alone.
            item_ids: B lists of the items to explain; None explains the k best.
            k: how many where item_ids is None.

        Returns:
            For each request its items: the best first, or in the order given.
        """
        return explain(self, queries, histories, item_ids, k)

    def items(self, item_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What the export shows of items (title, price, attributes) by item id, as far as it knows them."""
        if self._items is None:
            file = self.folder / SHOWN_ITEMS_FILE
            empty = pl.DataFrame(schema={"item_id": pl.String})
            self._items = pl.read_parquet(file) if file.is_file() else empty
        chosen = self._items.filter(pl.col("item_id").is_in([item_id.strip() for item_id in item_ids]))
        return {row["item_id"]: row for row in chosen.iter_rows(named=True)}

    def titles(self, item_ids: str | Iterable[str]) -> dict[str, str]:
        """Title by item id, as far as the export has them: those of an export that is older than this are missing."""
        wanted = texts(item_ids, "item_ids")
        return {item_id: item["title"] for item_id, item in self.items(wanted).items() if item.get("title")}

    def understand(self, queries: str | Sequence[str]) -> list[Understood]:
        """What queries mean: categories, attributes, price wishes, what is not wanted, language, spelling."""
        rows = {"query": texts(queries, "queries")}
        if "understand" not in self._loaded.signatures:
            raise ExportError(
                f"{self.folder} was exported without understanding (understanding.enabled): export it again."
            )
        return understood(self.call("understand", rows, {}))

    def embed_query(
        self, queries: str | Sequence[str] | None, histories: Sequence[Sequence[str]] | None = None
    ) -> np.ndarray:
        """Unit vectors float32 [B, D] of queries, with histories or without."""
        return self.call("embed_query", queries_and_histories(queries, histories), {}, "")["vectors"]

    def embed_item(self, item_texts: str | Sequence[str]) -> np.ndarray:
        """Unit vectors float32 [B, D] of items that are not in the catalogue, from their rendered texts."""
        return self.call("embed_item", {"text": texts(item_texts, "texts")}, {}, "")["vectors"]

    def signature(self, name: str) -> Any:
        """A signature as TensorFlow gives it: tensors by name to tensors by name.

        Raises:
            ExportError: the export has none of this name.
        """
        if name not in self._loaded.signatures:
            raise ExportError(f"{self.folder} has no signature {name}: name an export of `tfrec export`.")
        return self._loaded.signatures[name]

    def _rank(
        self, signature: str, rows: Mapping[str, Sequence[Any]], k: int, description: str, wishes: Wishes
    ) -> Ranking:
        scalars: dict[str, Any] = {"k": np.int32(count(k))}
        wishes = wishes._replace(filters=conditions(wishes.filters))
        if wishes.interpret:
            self._check(wishes)
            rows = {"query": rows["query"], "history": rows.get("history", [[]] * len(rows["query"]))}
            wishes = wishes._replace(exclude_seen=bool(wishes.exclude_seen))
            signature = "search_interpreted"
        elif wishes.relation is not None:
            self._check(wishes)
            signature += "_related"
            rows = {**rows, "relation": [wishes.relation] * len(next(iter(rows.values())))}
        elif wishes.any:
            self._check(wishes)
            signature += "_filtered"
        if signature not in self._loaded.signatures:
            way = "set model.images.encoder to a two-sided encoder and train" if "image" in rows else "export the model"
            raise ExportError(f"{self.folder} was exported without the signature {signature}: {way} again.")
        if wishes.any:
            rows = {**rows, "filters": [list(wishes.filters or [])] * len(next(iter(rows.values())))}
            scalars["diversity"] = np.float32(wishes.diversity)
            if wishes.share is not None:
                scalars["share"] = np.float32(wishes.share)
            if wishes.exclude_seen is not None:
                scalars["exclude_seen"] = np.bool_(wishes.exclude_seen)
        found = self.call(signature, rows, scalars, description)
        decode = np.frompyfunc(lambda raw: raw.decode("utf-8", "replace"), 1, 1)
        return Ranking(decode(found["item_ids"]), found["scores"])

    def _check(self, wishes: Wishes) -> None:
        if not isinstance(wishes.diversity, numbers.Real):
            raise ExportError(f"diversity must be a number from 0 to 1, not {wishes.diversity!r}.")
        columns = self.manifest.get("retrieval", {}).get("filter_kinds")
        relations = self.manifest.get("retrieval", {}).get("relations", [])
        if wishes.relation is not None and wishes.relation.strip().lower() not in relations:
            there = f"the export knows {', '.join(relations)}" if relations else "the shop has no data.relations"
            raise ExportError(f"There is no relation {wishes.relation!r}: {there}.")
        wrong = wrong_diversity(wishes.diversity) or wrong_condition(wishes.filters or (), columns)
        if wrong:
            raise ExportError(f"{wrong[0].upper()}{wrong[1:]}.")

    def call(
        self, signature: str, rows: Mapping[str, Sequence[Any]], scalars: dict[str, Any], description: str = ""
    ) -> dict[str, np.ndarray]:
        """Calls a signature, in batches of similar length.

        Args:
            signature: its name.
            rows: input -> B texts, or B lists of texts.
            scalars: input -> value.
            description: shown with the progress; empty shows none.

        Returns:
            output -> array [B, ...].
        """
        from tfrec.tensorflow_setup import tf

        function = self._loaded.signatures[signature]
        columns = [list(column) for column in rows.values()]
        size = len(columns[0])
        order = sorted(range(size), key=lambda row: [len(column[row]) for column in columns])
        whole: dict[str, np.ndarray] = {}
        with Progress(description, size) as progress:
            for start in range(0, max(size, 1), self._batch):
                chosen = order[start : start + self._batch]
                tensors = {
                    name: tf.constant(tensor_of(name, [column[row] for row in chosen]), tf.string)
                    for name, column in zip(rows, columns, strict=True)
                }
                tensors |= {name: tf.constant(value) for name, value in scalars.items()}
                try:
                    answer = function(**tensors)
                except tf.errors.InvalidArgumentError as error:
                    raise ExportError(told(error)) from error
                for name, value in answer.items():
                    part = value.numpy()
                    if name not in whole:
                        whole[name] = np.empty((size, *part.shape[1:]), part.dtype)
                    whole[name][chosen] = part
                progress.advance(len(chosen))
        return whole
