"""Scores tables of any size with a model that the project has trained: `python -m batch`.

`source` reads the table in pieces, `scorer` makes predictions of one, `job` keeps what is done and puts it together.
"""
