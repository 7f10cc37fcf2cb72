"""One prediction: of what is typed, or of a picture."""

from __future__ import annotations

import io
import json
import warnings

import streamlit as st

from frontend import client
from frontend.exchange import AskError
from frontend.listed import Listed
from frontend.plain import plain
from frontend.signature import MOST_CHARACTERS, Description, Field, UnfitError, read_row, shown
from frontend.views import common

PICTURE_MEBIBYTES = 5
MOST_PIXELS = 4096 * 4096
SHOWN_PIXELS = 120
COLUMNS = 4


def show() -> None:
    """The page."""
    st.title("One prediction")
    model = common.choose("Model", "one-model", common.models())
    description = common.describe(model)
    common.titled(model, description)
    by_picture = description.picture and st.radio("Ask with", ["a picture", "values"], horizontal=True) == "a picture"
    if by_picture:
        _ask_picture(model, description)
    elif description.fields:
        _ask_fields(model, description)
    else:
        _ask_json(model, description)


def _ask_fields(model: Listed, description: Description) -> None:
    fields = description.fields
    example = description.example or (None,) * len(fields)
    # Another version may take other values.
    key = f"{model.name}/{description.version}"
    if st.button("Fill with the example", disabled=not description.example):
        for field, value in zip(fields, example, strict=True):
            st.session_state[f"{key}/{field.name}"] = _initial(field, value)
    with st.form("fields", enter_to_submit=True):
        columns = st.columns(COLUMNS)
        texts = []
        for at, (field, value) in enumerate(zip(fields, example, strict=True)):
            with columns[at % COLUMNS]:
                texts.append(_typed(field, _initial(field, value), f"{key}/{field.name}"))
        asked = st.form_submit_button("Predict", type="primary")
    if not asked:
        return
    try:
        row = read_row(fields, texts)
    except UnfitError as error:
        st.error(plain(f"{error}."))
        return
    _predict(model, description, row)


def _typed(field: Field, initial: str, key: str) -> str:
    """Have a value typed, or of a truth chosen."""
    label = plain(field.name) + (" (may be empty)" if field.nullable else "")
    if field.kind == "truth":
        options = ["true", "false", *([""] if field.nullable else [])]
        st.session_state.setdefault(key, initial if initial in options else options[0])
        return st.selectbox(label, options, key=key)
    st.session_state.setdefault(key, initial)
    return st.text_input(label, key=key, max_chars=MOST_CHARACTERS)


def _initial(field: Field, value: object) -> str:
    text = shown(value)
    if field.kind == "truth":
        return text or ("" if field.nullable else "true")
    return text[:MOST_CHARACTERS]


def _ask_json(model: Listed, description: Description) -> None:
    st.info("This model does not say what it takes. Type a row in JSON.")
    with st.form("json"):
        text = st.text_input("Row", placeholder="[1, 2, 3]", max_chars=MOST_CHARACTERS)
        asked = st.form_submit_button("Predict", type="primary")
    if not asked:
        return
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, list) or not row or any(isinstance(value, list | dict) for value in row):
        st.error("This is no row in JSON, such as [1, 2, 3].")
        return
    _predict(model, description, row)


def _predict(model: Listed, description: Description, row: list[object]) -> None:
    try:
        answer = client.predict(model, description, [row])
    except AskError as error:
        common.tell(error, model)
        return
    common.show_answer(answer, description)


def _ask_picture(model: Listed, description: Description) -> None:
    file = st.file_uploader("Picture", type=["png", "jpg", "jpeg"], max_upload_size=PICTURE_MEBIBYTES)
    if file is None:
        return
    picture = file.getvalue()
    try:
        answer = client.show(model, description, picture)
    except AskError as error:
        common.tell(error, model)
        return
    left, right = st.columns([1, 3])
    with left:
        if small := _small(picture):
            st.image(small, caption="The picture", width=SHOWN_PIXELS)
    with right:
        common.show_answer(answer, description)


def _small(picture: bytes) -> bytes | None:
    """A picture as it is shown; None if it is not one of the two kinds, or larger than is unpacked here."""
    from PIL import Image  # noqa: PLC0415

    small = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            image = Image.open(io.BytesIO(picture), formats=("PNG", "JPEG"))
            if image.width * image.height > MOST_PIXELS:
                return None
            image.thumbnail((SHOWN_PIXELS, SHOWN_PIXELS))
            image.convert("RGBA").save(small, "PNG")
    except Exception:  # Pillow raises whatever the damaged part leads to
        return None
    return small.getvalue()
