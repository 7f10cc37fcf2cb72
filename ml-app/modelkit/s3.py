"""An address in an S3 store: who asks for it, and what the store's errors mean to people."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from modelkit.connecting import first_answer, noted

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

TIMEOUT_SECONDS = 30


class S3Error(Exception):
    """The store does not do what it is asked; the message is meant for the user, and names the address."""


class NothingThereError(S3Error):
    """There is no such bucket or key."""


class ThereAlreadyError(S3Error):
    """What was to be new is there already."""


class AddressError(S3Error):
    """It is no address."""


class Address:
    """A key in a bucket, or the beginning of keys.

    Credentials and endpoint come from where boto3 takes them: `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ….

    Args:
        text: `s3://bucket/key`.

    Raises:
        AddressError: it is no such address.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.bucket, _, self.key = text.removeprefix("s3://").partition("/")
        # Some stores leave empty names out, so that the same key would be another one.
        if not self.bucket or "" in self.key.split("/"):
            raise AddressError(f"{text}: write it as s3://bucket/key")

    def ask(self, request: Callable[[S3Client], T]) -> T:
        """Ask the store, and again for a while where it cannot be reached.

        Args:
            request: asks once.

        Raises:
            S3Error: what is wrong, and how to mend it.
        """
        # boto3 takes half a second.
        from boto3.exceptions import Boto3Error  # noqa: PLC0415
        from botocore.exceptions import (  # noqa: PLC0415
            BotoCoreError,
            ClientError,
            ConnectionClosedError,
            ConnectTimeoutError,
            EndpointConnectionError,
            NoCredentialsError,
            ParamValidationError,
        )

        def nobody(error: Exception) -> object:
            gone = (ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError)
            return error if isinstance(error, gone) else None

        try:
            return first_answer(lambda: request(self._client), f"the store of {self.text}", nobody)
        except NoCredentialsError as error:
            raise S3Error(
                f"{self.text}: no credentials for S3; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "and AWS_ENDPOINT_URL if the store is not Amazon's"
            ) from error
        except ClientError as error:
            raise self._refused(error) from error
        except ParamValidationError as error:
            raise AddressError(f"{self.text}: {' '.join(str(error).split())}") from error
        except (Boto3Error, BotoCoreError, ValueError) as error:
            told = S3Error(f"{self.text}: cannot be reached: {error}; check the address and AWS_ENDPOINT_URL")
            raise noted(told, error) from error

    def _refused(self, error: Exception) -> S3Error:
        said = getattr(error, "response", {}).get("Error", {})
        code, text = said.get("Code", ""), said.get("Message", "")
        # Of a HEAD there is no body, so that the code is the status.
        missing = {
            "NoSuchBucket": f"there is no bucket {self.bucket}",
            "NoSuchKey": f"bucket {self.bucket} has no key {self.key}",
            "404": f"there is no bucket {self.bucket}, or no key {self.key} in it",
        }
        if what := missing.get(code):
            return NothingThereError(f"{self.text}: {what}; check the address and AWS_ENDPOINT_URL")
        if code in ("PreconditionFailed", "ConditionalRequestConflict"):
            return ThereAlreadyError(f"{self.text}: is there already, or has changed meanwhile")
        if code in ("AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch"):
            return S3Error(f"{self.text}: S3 refused ({code}); check the credentials and what they may do there")
        return S3Error(f"{self.text}: S3 answered {code}: {text}")

    @cached_property
    def _client(self) -> S3Client:
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        config = Config(
            connect_timeout=5,
            read_timeout=TIMEOUT_SECONDS,
            retries={"mode": "standard"},
            # Stores that are not Amazon's may not know its newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return boto3.Session().client("s3", config=config)
