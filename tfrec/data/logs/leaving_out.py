"""Which rows of a log are no shopper's: other actions, the shop's own people, machines. All are counted."""

from __future__ import annotations

import polars as pl

from tfrec.config.search_log import SearchLogConfig, VisitorsConfig
from tfrec.data.clean import matches
from tfrec.data.logs.rows import OTHER_LIST, kind_of_action
from tfrec.data.report import TableReport

_LEAVE_OUT, _AGENTS = "data.search_log.visitors.leave_out", "data.search_log.visitors.agents"


def known_actions(frame: pl.DataFrame, config: SearchLogConfig, report: TableReport) -> pl.DataFrame:
    """Rows of known actions; a product must be named by all but searches."""
    kinds = frame.select("action", kind_of_action(pl.col("action"), config.actions).alias("kind"))
    frame = frame.with_columns(kinds["kind"])
    unknown = frame.filter(pl.col("kind").is_null() & (pl.col("action") != OTHER_LIST))["action"]
    if len(unknown):
        names = ((name, "") for name in unknown.unique(maintain_order=True).head(5))
        kind = "rows of other actions (data.search_log.actions can say what they mean), left out"
        report.change(kind, len(unknown), names)
    lists = int((frame["action"] == OTHER_LIST).sum())
    report.change("items of lists that are no search results (data.search_log.lists), left out", lists)
    ignored = int((frame["kind"] == "ignore").sum())
    report.change("rows of actions that the configuration ignores, left out", ignored)
    return frame.filter(pl.col("kind").is_not_null() & (pl.col("kind") != "ignore"))


def shoppers_rows(frame: pl.DataFrame, config: SearchLogConfig, report: TableReport) -> pl.DataFrame:
    """Rows of shoppers: neither the shop's own people nor machines that say what they are."""
    visitors = config.visitors
    plain = [entry for entry in visitors.leave_out if not _is_pattern(entry)]
    patterns = [entry[1:-1] for entry in visitors.leave_out if _is_pattern(entry)]
    ids = ("visitor", "user", "session")
    staff = pl.any_horizontal([pl.col(name).is_in(plain) for name in ids])
    for pattern in patterns:
        for name in ids:
            staff = staff | pl.lit(matches(frame[name], pattern, _LEAVE_OUT) & (frame[name] != ""))
    machine = pl.lit(matches(frame["agent"], visitors.agents, _AGENTS, whole=False) if visitors.agents else False)
    marked = frame.with_columns(staff.alias("_staff"), machine.alias("_machine"))
    for column, kind in (
        ("_staff", f"rows of people to leave out ({_LEAVE_OUT}), left out"),
        ("_machine", f"rows of machines by their browser's name ({_AGENTS}), left out"),
    ):
        gone = marked.filter(pl.col(column))
        shown = gone["agent"].unique(maintain_order=True).head(5 if column == "_machine" else 0)  # nobody's id is kept
        report.change(kind, gone.height, ((value, "") for value in shown))
        marked = marked.filter(~pl.col(column))
    return marked.drop("_staff", "_machine")


def _is_pattern(entry: str) -> bool:
    return len(entry) > 2 and entry.startswith("/") and entry.endswith("/")


def without_machines(
    searches: pl.DataFrame, shown: pl.DataFrame, actions: pl.DataFrame, limits: VisitorsConfig
) -> tuple[pl.DataFrame, pl.DataFrame, int, int]:
    """Searches and actions without visitors whose rates no person reaches; how many those are, and their rows."""
    rates = searches.group_by("visitor").agg(pl.len().alias("n"))
    for column, seconds in (("minute", 60), ("day", 86_400)):
        of = searches.group_by("visitor", pl.col("time") // seconds).len().group_by("visitor").agg(pl.col("len").max())
        rates = rates.join(of.rename({"len": column}), on="visitor")
    clicks = actions.group_by("visitor").agg(pl.len().alias("clicks"))
    rates = rates.join(clicks, on="visitor", how="left").with_columns(pl.col("clicks").fill_null(0))
    fast = (pl.col("minute") > limits.max_searches_a_minute) | (pl.col("day") > limits.max_searches_a_day)
    busy = (pl.col("n") >= 10) & (pl.col("clicks") > limits.max_clicks_a_search * pl.col("n"))
    machines = rates.filter(fast | busy)["visitor"]
    gone = pl.col("visitor").is_in(machines.implode())
    rows = searches.filter(gone).height + actions.filter(gone).height + shown.filter(gone).height
    return searches.filter(~gone), actions.filter(~gone).drop("visitor"), len(machines), rows
