"""Predictions for a table of rows."""

from __future__ import annotations

import re

import streamlit as st

from frontend import client
from frontend.exchange import AskError
from frontend.listed import Listed
from frontend.plain import plain
from frontend.scoring import Scored, score
from frontend.signature import Description, shown
from frontend.table import MOST_BYTES, MOST_ROWS, TableError, rows_for, written
from frontend.views import common, results
from modelkit.tablefile import Cells

ASKING = "Asking the model"


def show() -> None:
    """The page."""
    st.title("A table of rows")
    model = common.choose("Model", "table-model", common.models())
    description = common.describe(model)
    common.titled(model, description)
    if not description.fields:
        st.info("This model does not say what it takes, so that a table cannot be brought into its form.")
        return
    _offer_example(model, description)
    table = common.uploaded(f"CSV file, up to {MOST_ROWS:,} rows and {MOST_BYTES >> 20} MiB", "table-file")
    if table is None:
        return
    scored = ask(model, description, table)
    if scored is not None:
        results.show(table, scored, description, f"{re.sub(r'[^A-Za-z0-9.-]', '_', model.name)}-predictions")


def ask(model: Listed, description: Description, table: Cells) -> Scored | None:
    """What a model makes of a table; None where it cannot be asked, which is said."""
    try:
        asked = rows_for(table, description, model.name)
    except TableError as error:
        st.error(plain(str(error)))
        return None
    results.tell_unused(asked.unused)
    bar = st.progress(0.0, text=ASKING)

    def progress(share: float) -> None:
        bar.progress(share, text=ASKING)

    try:
        scored = score(lambda rows: client.predict(model, description, rows), asked.values, progress)
    except AskError as error:
        common.tell(error, model)
        return None
    finally:
        bar.empty()
    scored.rejected |= asked.rejected
    return scored


def _offer_example(model: Listed, description: Description) -> None:
    """A file to begin with: the names of what the model takes, and its example."""
    names = [field.name for field in description.fields]
    rows = [[shown(value) for value in description.example]] if description.example else []
    name = re.sub(r"[^A-Za-z0-9.-]", "_", model.name)
    st.download_button(
        "Download a table to begin with", written(names, rows), f"{name}.csv", "text/csv", on_click="ignore"
    )
