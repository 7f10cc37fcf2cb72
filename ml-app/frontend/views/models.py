"""Which models are in service, and how they are."""

from __future__ import annotations

import streamlit as st

from frontend import client
from frontend.exchange import latency
from frontend.listed import Listed
from frontend.plain import plain
from frontend.views import common

REFRESH_SECONDS = 10


def show() -> None:
    """The page."""
    st.title("Models in service")
    _list()


@st.fragment(run_every=REFRESH_SECONDS)
def _list() -> None:
    models = common.models()
    healths = client.healths(models)
    st.table([_row(model, health) for model, health in zip(models, healths, strict=True)], hide_index=True)
    for health in healths:
        if health.problem:
            st.warning(plain(health.problem))
    st.text("Score: on the test rows of the training. Latency: the median of the last 20 predictions of this page.")
    st.button("Look again")


def _row(model: Listed, health: client.Health) -> dict[str, str]:
    seconds = latency(model)
    cells = {
        "Model": model.name,
        "Version": health.version or model.version or "",
        "Score": "" if model.score is None else f"{model.score[0]} {model.score[1]:.3f}",
        "Health": "answers" if health.problem is None else "does not answer",
        "Latency": "" if seconds is None else f"{seconds * 1000:.1f} ms",
    }
    return {name: plain(cell) for name, cell in cells.items()}
