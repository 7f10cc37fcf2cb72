"""What a server under uvicorn can do at most: it reads each request's body and answers the same bytes, whatever was asked.

    python limit.py PORT FILE
"""

import sys
from pathlib import Path

import uvicorn

port, file = sys.argv[1:]
answer = Path(file).read_bytes()
head = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))],
}


async def app(scope, receive, send):
    """Read the body, and answer."""
    while (await receive()).get("more_body"):
        pass
    await send(head)
    await send({"type": "http.response.body", "body": answer})


uvicorn.run(
    app, port=int(port), loop="uvloop", http="httptools", ws="none", lifespan="off", log_level="warning", access_log=False
)
