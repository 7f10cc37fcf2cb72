"""`python -m modelserver MODULE.Class`: load a Seldon class and serve it until SIGTERM or Ctrl-C.

Ports, the unit's name and the class's parameters come from the environment that Seldon's operator sets
(https://docs.seldon.ai/seldon-core-1/wrappers/python/python_component): `PREDICTIVE_UNIT_HTTP_SERVICE_PORT` (9000),
`PREDICTIVE_UNIT_GRPC_SERVICE_PORT` (5000), `PREDICTIVE_UNIT_METRICS_SERVICE_PORT` (6000),
`PREDICTIVE_UNIT_PARAMETERS` (a JSON list of name, value, type). `GUNICORN_KEEPALIVE` says for how many seconds a REST
connection may be idle (620).
"""

import logging
import os
import signal
import sys

if __name__ == "__main__":
    # Before the imports, which take a second: the first process of a container ignores a signal without a handler.
    # uvicorn raises a signal again once it has drained; being told to stop is not a failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))

    from modelserver.server import main

    code = main()
    # Not by sys.exit, which waits for the threads of calls that have had their time.
    logging.shutdown()
    os._exit(code)
