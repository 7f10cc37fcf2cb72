"""Shows what came of a table of rows."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from frontend.scoring import Scored
from frontend.signature import Answer, Description
from frontend.table import beside, written
from frontend.views import common
from modelkit.tablefile import Cells

BINS = 20
FEW = 30
NARROWEST = 1e-12
"""Numbers that lie closer together, as a share of the largest, are not told apart by where they lie."""
SHOWN_REJECTED = 200


def show(table: Cells, scored: Scored, description: Description, name: str) -> None:
    """Show answers, those rejected with the reasons, a chart, and what can be taken away."""
    good, bad = len(scored.answers), len(scored.rejected)
    st.text(f"{_rows(good)} answered" + (f", {bad} rejected" if bad else ""))
    if good:
        answer = best(scored, description)
        chart(answer)
        _table(table, scored, answer)
    if bad:
        st.subheader("Rejected")
        rejected = sorted(scored.rejected.items())[:SHOWN_REJECTED]
        st.dataframe(common.table_of([{"line": line, "reason": why} for line, why in rejected]), hide_index=True)
        if bad > SHOWN_REJECTED:
            st.text(f"The first {SHOWN_REJECTED} are shown; the download has all.")
    st.download_button(
        "Download all as CSV", taken_away(table, scored), f"{name}.csv", "text/csv", on_click="ignore", key="download"
    )


def best(scored: Scored, description: Description) -> Answer:
    """The answers as people want them: of a classifier the most probable class, and all probabilities behind it."""
    rows = [row for _, row in sorted(scored.answers.items())]
    if not description.classes or not all(common.is_number(value) for row in rows for value in row):
        return Answer(scored.names, rows)
    chosen = [[scored.names[max(range(len(row)), key=row.__getitem__)], *row] for row in rows]
    return Answer(("most probable", *scored.names), chosen)


def chart(answer: Answer) -> None:
    """How the predictions are spread: of numbers how many lie where, of others how often each is there."""
    values = [row[0] for row in answer.rows]
    numbers = [float(value) for value in values if common.is_number(value)]
    spread = max(numbers, default=0) - min(numbers, default=0)
    if len(numbers) < len(values) or not NARROWEST * max(map(abs, numbers)) < spread < math.inf:
        counts: dict[str, int] = {}
        for value in values:
            counts[str(value)] = counts.get(str(value), 0) + 1
        most = sorted(counts.items(), key=lambda one: -one[1])[:FEW]
        frame = common.table_of([{"prediction": value, "rows": count} for value, count in sorted(most)])
        st.bar_chart(frame, x="prediction", y="rows", height=260)
        return
    import numpy as np  # noqa: PLC0415

    heights, edges = np.histogram(numbers, bins=BINS)
    digits = max(0, 1 - math.floor(math.log10(edges[1] - edges[0])))
    middles = [f"{at:,.{digits}f}" for at in (edges[:-1] + edges[1:]) / 2]
    frame = common.table_of([{"prediction": at, "rows": int(rows)} for at, rows in zip(middles, heights, strict=True)])
    st.bar_chart(frame, x="prediction", y="rows", sort=False, height=260)


def _table(table: Cells, scored: Scored, answer: Answer) -> None:
    given = dict(table.rows)
    head = beside(table.names, answer.names, "predicted")
    [number] = beside([*table.names, *head], ["line"], "of the file")
    rows = [
        {number: line, **dict(zip(head, row, strict=True)), **dict(zip(table.names, given[line], strict=True))}
        for (line, _), row in zip(sorted(scored.answers.items()), answer.rows, strict=True)
    ]
    st.dataframe(common.table_of(rows), hide_index=True)


def taken_away(table: Cells, scored: Scored) -> bytes:
    """All rows as they came, each with its answer or the reason why there is none, as a CSV file."""
    head = beside(table.names, scored.names, "predicted")
    why = beside([*table.names, *head], ["rejected because"], "this time")
    width = len(table.names)
    rows: list[list[Any]] = []
    for line, cells in table.rows:
        answer = scored.answers.get(line, [None] * len(head))
        rows.append([*(cells + [""] * width)[:width], *answer, scored.rejected.get(line, "")])
    return written([*table.names, *head, *why], rows)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def tell_unused(names: list[str]) -> None:
    """Say which columns of a table nobody asked for."""
    if names:
        more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
        st.text(f"Not used: {', '.join(names[:FEW])}{more}")
