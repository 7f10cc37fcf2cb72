"""What the pages have in common."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from frontend import client
from frontend.exchange import AskError, RefusedError
from frontend.listed import Listed, NotListedError, listed
from frontend.plain import number, plain
from frontend.signature import Answer, Description
from frontend.table import MOST_BYTES, TableError, read_table
from modelkit.tablefile import Cells

if TYPE_CHECKING:
    import pandas as pd

_CHOSEN = "chosen"
_LARGEST = sys.float_info.max
_WIDEST = 2**63 - 1


def models() -> list[Listed]:
    """The models in service; ends the page where there are none."""
    try:
        found = listed()
    except NotListedError as error:
        st.error(plain(f"The list of models cannot be read: {error}"))
        st.stop()
    if not found:
        st.info("No model is in service yet. This page shows each as soon as it is.")
        st.stop()
    return found


def choose(label: str, key: str, among: Sequence[Listed]) -> Listed:
    """Have one of the models chosen; at first it is the one that was chosen last, on whichever page."""
    names = [one.name for one in among]
    before = st.session_state.get(_CHOSEN)
    name = st.selectbox(label, names, index=names.index(before) if before in names else 0, key=key)
    st.session_state[_CHOSEN] = name
    return next((one for one in among if one.name == name), among[0])


def choose_other(label: str, key: str, among: Sequence[Listed]) -> Listed:
    """Have another of the models chosen; at first it is the first of these."""
    name = st.selectbox(label, [one.name for one in among], key=key)
    return next((one for one in among if one.name == name), among[0])


def describe(model: Listed) -> Description:
    """What a model says of itself; ends the page if it does not answer."""
    try:
        return client.describe(model)
    except AskError as error:
        tell(error, model)
        st.stop()


def tell(error: AskError, model: Listed) -> None:
    """Say why a model has not answered."""
    if isinstance(error, RefusedError):
        st.error(plain(f"{model.name} does not take this: {error}"))
    else:
        st.error(plain(str(error)))


def titled(model: Listed, description: Description) -> None:
    """Say which version is asked, and how good it is."""
    version = description.version or model.version
    parts = [f"{model.name} version {version}" if version else model.name]
    if model.score is not None:
        parts.append(f"{model.score[0]} {model.score[1]:.3f} on its test rows")
    st.text(", ".join(parts))


def uploaded(label: str, key: str) -> Cells | None:
    """Have a CSV file chosen; None as long as there is none, or none that can be read."""
    file = st.file_uploader(label, type=["csv"], key=key, max_upload_size=MOST_BYTES >> 20)
    if file is None:
        return None
    try:
        return read_table(file.getvalue())
    except TableError as error:
        st.error(plain(str(error)))
        return None


def show_answer(answer: Answer, description: Description) -> None:
    """Show what a model has answered to one row, or to a picture."""
    [row] = answer.rows
    if len(row) == 1:
        value = row[0]
        if is_number(value):
            st.metric(plain(answer.names[0]), plain(number(value)))
        else:
            st.subheader(plain(answer.names[0]))
            st.code(str(value), language=None, wrap_lines=True)
        return
    numbers = all(map(is_number, row))
    if description.classes and numbers:
        most = max(range(len(row)), key=lambda at: row[at])
        st.metric("most probable", plain(answer.names[most]))
        st.text(f"with a probability of {row[most]:.1%}")
    frame = table_of([{"output": name, "value": value} for name, value in zip(answer.names, row, strict=True)])
    if numbers:
        st.bar_chart(frame, x="output", y="value", sort=False, height=260)
    st.dataframe(frame, hide_index=True)


def is_number(value: Any) -> bool:
    """Whether a value is a finite number, and none that is larger than numbers are calculated with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST


def table_of(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """A table for people: a column of values of several types becomes one of texts."""
    import pandas as pd  # noqa: PLC0415 the first page needs none

    # Pandas has no larger whole numbers.
    frame = pd.DataFrame(
        [{name: str(value) if _is_wide(value) else value for name, value in row.items()} for row in rows]
    )
    for name in frame.columns:
        kinds = {type(value) for value in frame[name] if value is not None}
        if (not kinds <= {int, float} and len(kinds) > 1) or kinds & {list, dict}:
            frame[name] = [None if value is None else str(value) for value in frame[name]]
    return frame


def _is_wide(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > _WIDEST
