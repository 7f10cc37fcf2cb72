"""What Streamlit runs for each visitor, anew at each click."""

import streamlit as st

from frontend.views import compare, models, one, table

st.set_page_config(page_title="Models", layout="wide")
st.navigation(
    [
        st.Page(models.show, title="Models", url_path="models", default=True),
        st.Page(one.show, title="One prediction", url_path="one"),
        st.Page(table.show, title="A table of rows", url_path="table"),
        st.Page(compare.show, title="Two models", url_path="compare"),
    ]
).run()
