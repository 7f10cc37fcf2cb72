"""Two models on the same rows."""

from __future__ import annotations

from statistics import mean
from typing import Any

import streamlit as st

from frontend import client
from frontend.listed import Listed
from frontend.plain import number, plain
from frontend.scoring import Scored
from frontend.signature import Answer, Description, shown
from frontend.table import beside, written
from frontend.views import common, results, table
from modelkit.tablefile import Cells

_EXAMPLE, _FILE = "the example of the first", "a CSV file"


def show() -> None:
    """The page."""
    st.title("Two models on the same rows")
    models = common.models()
    if len(models) == 1:
        st.info("One model is in service; two are needed.")
        return
    left, right = st.columns(2)
    with left:
        first = common.choose("First model", "compare-first", models)
        description = common.describe(first)
        common.titled(first, description)
    with right:
        others = client.alike(description, [one for one in models if one != first])
        second = common.choose_other("Second model", f"second to {first.name}", others)
        other = common.describe(second)
        common.titled(second, other)
    rows = _rows(description)
    if rows is None:
        return
    with left:
        one = table.ask(first, description, rows)
    with right:
        two = table.ask(second, other, rows)
    if one is not None and two is not None:
        _show(rows, (first, description, one), (second, other, two))


def _rows(description: Description) -> Cells | None:
    ways = [*([_EXAMPLE] if description.example else []), _FILE]
    if st.radio("Rows", ways, horizontal=True) == _FILE:
        return common.uploaded("CSV file with the columns of both", "compare-file")
    names = [field.name for field in description.fields]
    return Cells(names, [(2, [shown(value) for value in description.example])])


Side = tuple[Listed, Description, Scored]


def _show(rows: Cells, one: Side, two: Side) -> None:
    both = [line for line, _ in rows.rows if line in one[2].answers and line in two[2].answers]
    rejected = len(rows.rows) - len(both)
    st.text(f"{len(both):,} rows answered by both" + (f", {rejected:,} rejected by one of them" if rejected else ""))
    for model, _, scored in (one, two):
        for line, why in sorted(scored.rejected.items())[:3]:
            st.warning(plain(f"{model.name} rejects line {line}: {why}"))
    if not both:
        return
    names = beside(["line", "difference", "same"], [one[0].name, two[0].name], "model")
    pairs = [(_first(one, line), _first(two, line)) for line in both]
    numbers = all(common.is_number(value) for pair in pairs for value in pair)
    table_rows = []
    for line, pair in zip(both, pairs, strict=True):
        row: dict[str, Any] = {"line": line, **dict(zip(names, pair, strict=True))}
        table_rows.append({**row, "difference": pair[1] - pair[0]} if numbers else {**row, "same": pair[0] == pair[1]})
    frame = common.table_of(table_rows)
    if numbers:
        apart = mean(abs(b - a) for a, b in pairs)
        st.metric("mean difference, without its sign", plain(number(apart)))
        if len(both) > 1:
            points = common.table_of([{"first model": a, "second model": b} for a, b in pairs])
            st.scatter_chart(points, x="first model", y="second model", height=320)
    else:
        st.metric("rows with the same answer", plain(f"{sum(a == b for a, b in pairs)} of {len(pairs)}"))
    st.dataframe(frame, hide_index=True)
    content = written(list(frame.columns), frame.astype(object).to_numpy().tolist())
    st.download_button("Download as CSV", content, "comparison.csv", "text/csv", on_click="ignore")


def _first(side: Side, line: int) -> Any:
    """What a model says of a row, in one value."""
    _, description, scored = side
    only = Scored(scored.names, {line: scored.answers[line]})
    answer: Answer = results.best(only, description)
    return answer.rows[0][0]
