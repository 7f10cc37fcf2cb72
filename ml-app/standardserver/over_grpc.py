"""What a request over gRPC must be before MLServer's conversion of it raises, which is INTERNAL, or guesses."""

from __future__ import annotations

import struct
from typing import Any

import grpc
from mlserver.errors import InferenceError
from mlserver.grpc.servicers import InferenceServicer
from mlserver.types import InferenceRequest

from standardserver.answers import missing_text

SHOWN_CHARACTERS = 300


class Servicer(InferenceServicer):  # type: ignore[misc]
    """MLServer's, with messages that are looked at first."""

    def _InsertHeaders(self, request: Any, context: Any) -> InferenceRequest:  # noqa: N802 MLServer's name
        # The first thing that MLServer does with a message: it converts it.
        _look_at(request)
        try:
            return super()._InsertHeaders(request, context)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, struct.error) as error:
            raise InferenceError(f"the message is not as its types say: {str(error)[:SHOWN_CHARACTERS]}") from error

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802 MLServer's name
        """Answer; a text that is missing is an empty one."""
        missing_text.set(b"")
        return await super().ModelInfer(request, context)

    async def ModelStreamInfer(self, requests_stream: Any, context: Any) -> Any:  # noqa: N802 MLServer's name
        """Refuse: models answer requests one by one."""
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "answers do not come as a stream: call ModelInfer")
        yield  # makes it the generator that gRPC takes it for


def _look_at(request: Any) -> None:
    """Find contents that are there twice, of which MLServer would take one.

    Raises:
        InferenceError: says what is there twice.
    """
    typed = [len(one.contents.ListFields()) for one in request.inputs]
    if any(kinds > 1 for kinds in typed):
        raise InferenceError("an input has contents of two types; send those of its datatype")
    raw = len(request.raw_input_contents)
    if raw and (any(typed) or raw != len(typed)):
        raise InferenceError(f"{len(typed)} inputs, {sum(typed)} with contents of their own, and {raw} raw contents")


async def refuse(*_: Any, **__: Any) -> bool:
    """Load or unload no model: in place of what MLServer does for whoever reaches its port."""
    raise InferenceError("models are loaded and unloaded by the platform alone")
