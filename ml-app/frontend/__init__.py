"""The page on which people ask the models in service: one row, a table of rows, a picture, two models side by side.

It knows no model: which there are says a file (`listed.py`), and what each takes says its server (`seldon.py`,
`open_inference.py`). It asks these servers, and nothing else.

    python -m frontend --models models.json --port 8501

Nothing that comes from a model, a file or a name is rendered as HTML or Markdown (`plain.py`).
"""
