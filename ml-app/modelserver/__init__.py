"""Serves a Seldon Core Python class over Seldon's REST, gRPC and metrics endpoints, from one process.

It takes the place of `seldon-core-microservice` and runs the same classes: the protocol itself (messages,
metadata, custom metrics) is seldon-core's own code. What differs is what made that server slow or fragile:

- one asynchronous process with uvloop and httptools in place of gunicorn's synchronous workers, which close
  the connection after each request;
- a client that offers another protocol (h2c, websocket) is answered, and its body never run as a request;
- custom metrics in the process's own memory, where seldon-core asks a second process a dozen times a request;
- the model's files are compared with those that were decided on, before any code of the model reads them;
- a request is checked before the model sees it, so bad input is answered with 4xx and a reason.

It serves models and the units of graphs. Of Seldon's calls a model answers predictions, health and metadata over REST,
and those of the services `Model` and `Seldon` over gRPC; a unit those that the executor makes (see `units.py`), also as
the Open Inference Protocol has them.
"""
