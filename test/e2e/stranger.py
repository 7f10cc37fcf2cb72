"""Tries to reach each of ADDRESSES, and writes as JSON which were reached, and why the others were not."""

import json
import os
import socket
import time


def reach(address: str) -> str:
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
    except OSError as error:
        return str(error)
    return "reached"


# Policies reach a new pod a moment after its start, those that allow and those that forbid.
time.sleep(3)
print(json.dumps({address: reach(address) for address in os.environ["ADDRESSES"].split()}))
