"""Where public data sets come from, and how their files become tables that tfrec reads.

No checksum of these files could be verified when this was written, so `sha256` is None where it stands so: the download
then shows the computed checksum and keeps the file only with --trust. The addresses are pinned to commits where the
publisher allows it.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tfrec.errors import DataError

_OPENSEARCH = "https://raw.githubusercontent.com/opensearch-project"


@dataclass(frozen=True)
class Remote:
    """One file of a publisher.

    Attributes:
        url: its address.
        name: the local name of the raw file.
        sha256: hex, or None when it is not known.
    """

    url: str
    name: str
    sha256: str | None = None


@dataclass(frozen=True)
class Source:
    """A public data set.

    Attributes:
        title: what it is, with its licence.
        files: what is fetched.
        convert: (folder of the raw files, folder for the tables): writes the tables.
        tables: names of the tables that convert writes.
    """

    title: str
    files: tuple[Remote, ...]
    convert: Callable[[Path, Path], None]
    tables: tuple[str, ...]


def convert_esci(raw: Path, folder: Path) -> None:
    """OpenSearch's bulk file of products and its import file of judgments become products.jsonl.gz and judgments.csv.

    The bulk format alternates an action line and a product; ratings are 100, 10, 1, 0 for Exact, Substitute,
    Complement and Irrelevant, which as gains are 1, 0.1, 0.01 and 0.

    Raises:
        DataError: the files do not look as they did.
    """
    products = 0
    with (
        zipfile.ZipFile(raw / "products.ndjson.zip") as archive,
        archive.open(_member(archive, ".ndjson")) as lines,
        gzip.open(folder / "products.jsonl.gz", "wt", encoding="utf-8") as output,
    ):
        for line in lines:
            if line.strip() and "asin" in (product := json.loads(line)):
                output.write(json.dumps(product, ensure_ascii=False) + "\n")
                products += 1
    judgments = json.loads((raw / "judgments.json").read_text("utf-8"))
    rows = [
        (f"q{number}", entry["query"], rating["docId"], float(rating["rating"]) / 100)
        for number, entry in enumerate(judgments["judgmentRatings"])
        for rating in entry["ratings"]
    ]
    if not products or not rows:
        raise DataError("The published ESCI files have another form than this version of tfrec knows: tell its makers.")
    table = pl.DataFrame(rows, schema=["query_id", "query", "item_id", "gain"], orient="row")
    table.write_csv(folder / "judgments.csv")


def convert_online_retail(raw: Path, folder: Path) -> None:
    """The workbook in UCI's archive becomes transactions.parquet.

    Raises:
        DataError: the workbook is not what it was.
    """
    from tfrec.data.tables.workbook import read_sheet

    with zipfile.ZipFile(raw / "online_retail.zip") as archive:
        archive.extract(_member(archive, ".xlsx"), raw)
        frame = read_sheet(raw / _member(archive, ".xlsx"), dates=("InvoiceDate",))
    known = {"Quantity": pl.Int64, "UnitPrice": pl.Float64}
    missing = {"InvoiceNo", "StockCode", "Description", "InvoiceDate", "CustomerID", *known} - set(frame.columns)
    if missing:
        lacking = ", ".join(sorted(missing))
        raise DataError(f"The published workbook lacks the columns {lacking}: tell the makers of tfrec.")
    frame.with_columns(pl.col(name).cast(kind) for name, kind in known.items()).write_parquet(
        folder / "transactions.parquet"
    )


def _member(archive: zipfile.ZipFile, ending: str) -> str:
    found = [name for name in archive.namelist() if name.endswith(ending) and not name.startswith("__MACOSX")]
    if not found:
        raise DataError(f"{archive.filename} holds no {ending} file: the published archive has changed.")
    return found[0]


SOURCES = {
    "esci": Source(
        "ESCI, the subset that the OpenSearch project publishes: 6,764 products, 150 queries (Apache-2.0)",
        (
            Remote(
                f"{_OPENSEARCH}/search-relevance/656daefeb6b8773fbe65fca26aaa7697784d01c5/src/test/data-esci/"
                "esci_us_ecommerce_shrunk.ndjson.zip",
                "products.ndjson.zip",
            ),
            Remote(
                f"{_OPENSEARCH}/opensearch-devops/88c783ff86e5031588d785e7be61592bc9584811/nightly-playground/"
                "sample-data/search-relevance/esci_us_judgments.json",
                "judgments.json",
            ),
        ),
        convert_esci,
        ("products.jsonl.gz", "judgments.csv"),
    ),
    "online_retail": Source(
        "Online Retail of the UCI Machine Learning Repository: 541,909 purchases of a gift shop (CC BY 4.0)",
        (Remote("https://archive.ics.uci.edu/static/public/352/online+retail.zip", "online_retail.zip"),),
        convert_online_retail,
        ("transactions.parquet",),
    ),
}
