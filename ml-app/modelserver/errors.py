"""The errors of the model server, in the shape that Seldon's clients and executor know."""

from typing import Any

from seldon_core.flask_utils import SeldonMicroserviceException

MAX_REASON = 500
"""Characters of a message that are sent: it may quote the request, and gRPC refuses more than 8 KB beside an answer."""


class BadRequest(SeldonMicroserviceException):  # type: ignore[misc]
    """The request cannot be answered because of what it holds; the caller can mend it.

    Answered with HTTP status 4xx, or gRPC `INVALID_ARGUMENT`, and the message.
    """

    def __init__(self, message: str, status_code: int = 400) -> None:
        if len(message) > MAX_REASON:
            message = f"{message[:MAX_REASON]}…"
        super().__init__(message, status_code=status_code, reason="MICROSERVICE_BAD_DATA")

    def __str__(self) -> str:
        return str(self.message)


class ModelError(RuntimeError):
    """The model folder cannot be served: wrong files, wrong library versions or wrong answers.

    Raised while loading, so that the server never becomes ready.
    """


def status_body(message: str, reason: str) -> dict[str, Any]:
    """An error as the body of a Seldon response."""
    body: dict[str, Any] = SeldonMicroserviceException(message, reason=reason).to_dict()
    return body
