"""Scores tables of any size with a model of the registry: `python -m batch`.

`source` reads the table in pieces, `scorer` makes predictions of one by a model that the project has trained,
`anymodel` by one that others have logged, and `job` keeps what is done and puts it together.
"""
