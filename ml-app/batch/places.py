"""Where scores go: a folder, or an S3 bucket. What is written there is there whole or not at all."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, TypeVar, cast

from modelkit.connecting import noted
from modelkit.s3 import Address, AddressError, NothingThereError, S3Error, ThereAlreadyError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
Bytes = Callable[[], Iterator[bytes]]
"""Some bytes, from their beginning each time it is called."""

CHUNK_BYTES = 8 << 20


class PlaceError(Exception):
    """Something cannot be written or read there now; the message says what, and why."""


class OutputError(RuntimeError):
    """The scores cannot be written there at all; the message says why, and what to do."""


class GoneError(Exception):
    """There is no such file."""


class Place(Protocol):
    """Files with names, of which one with a slash lies in a folder."""

    def shown(self, name: str) -> str:
        """What people call a file there."""

    def is_at(self, name: str, address: str) -> bool:
        """Whether a file there is what another address names."""

    def names(self, folder: str) -> set[str]:
        """The files in a folder, by their names there; none if there is no such folder."""

    def is_there(self, name: str) -> bool:
        """Whether there is a file."""

    def read(self, name: str) -> Iterator[bytes]:
        """A file's bytes, in pieces.

        Raises:
            GoneError: there is none.
        """

    def write(self, name: str, content: Bytes, *, new: bool = False, by: str | None = None) -> bool:
        """Make a file of some bytes.

        Args:
            name: of the file.
            content: the bytes.
            new: whether one that is there already is left as it is, for which it has to be small; else it is replaced.
            by: the folder in which what is not whole yet may be left by a kill. By default its own.

        Returns:
            Whether it was made.

        Raises:
            GoneError: that folder has been removed meanwhile.
        """

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it; nothing happens if there is neither."""


def place_of(address: str) -> tuple[Place, str]:
    """A file's place, and its name there.

    Args:
        address: a path, or `s3://bucket/key`.

    Raises:
        OutputError: it names no file, or a folder that is not there.
    """
    if address.startswith("s3://"):
        folder, _, name = address.rpartition("/")
        try:
            return Bucket(Address(address), folder), name
        except AddressError as error:
            raise OutputError(str(error)) from error
    if "://" in address:
        raise OutputError(f"{address}: give a path, or an address that starts with s3://")
    path = Path(address)
    try:
        if not path.name or path.is_dir():
            raise OutputError(f"{path} is a folder: name a file for the scores")
        if not path.parent.is_dir():
            raise OutputError(f"there is no folder {path.parent} for {path.name}: make it")
        if path.exists() and not path.is_file():
            raise OutputError(f"{path} is a pipe or a device: name a file for the scores")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
    return Folder(path.parent), path.name


class Folder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def shown(self, name: str) -> str:
        """As `Place`."""
        return str(self._path / name)

    def names(self, folder: str) -> set[str]:
        """As `Place`."""
        try:
            return {path.name for path in (self._path / folder).iterdir()}
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise self._unwritable(folder, error) from error

    def is_there(self, name: str) -> bool:
        """As `Place`."""
        return os.path.lexists(self._path / name)

    def read(self, name: str) -> Iterator[bytes]:
        """As `Place`."""
        path = self._path / name
        try:
            if path.exists() and not path.is_file():
                # To open a pipe waits for somebody at its other end.
                raise PlaceError(f"{path} cannot be read: it is no file")
            with path.open("rb") as file:
                while piece := file.read(CHUNK_BYTES):
                    yield piece
        except FileNotFoundError as error:
            raise GoneError(self.shown(name)) from error
        except OSError as error:
            raise PlaceError(f"{self.shown(name)} cannot be read: {error.strerror or error}") from error

    def write(self, name: str, content: Bytes, *, new: bool = False, by: str | None = None) -> bool:
        """As `Place`."""
        path = self._path / name
        folder = path.parent if by is None else self._path / by
        coming = folder / f"{path.name}.{os.getpid()}.tmp"
        try:
            # That of the output itself is the user's to make: a slip would make a new one.
            if path.parent != self._path:
                path.parent.mkdir(exist_ok=True)
            try:
                with coming.open("wb") as file:
                    file.writelines(content())
                    # Else its name could be there without it after a loss of power.
                    file.flush()
                    os.fsync(file.fileno())
                if new:
                    # Fails where there is a file.
                    path.hardlink_to(coming)
                    coming.unlink()
                else:
                    coming.replace(path)
            except BaseException:
                coming.unlink(missing_ok=True)
                raise
        except FileExistsError:
            return False
        except OSError as error:
            if folder != self._path and not folder.is_dir():
                raise GoneError(f"{folder} is gone") from error
            raise self._unwritable(name, error) from error
        return True

    def remove(self, name: str) -> None:
        """As `Place`."""
        path = self._path / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def is_at(self, name: str, address: str) -> bool:
        """As `Place`."""
        path = self._path / name
        return not address.startswith("s3://") and path.exists() and path.samefile(address)

    def _unwritable(self, name: str, error: OSError) -> PlaceError:
        return PlaceError(f"{self.shown(name)} cannot be written: {error.strerror or error}")


class Bucket:
    """What begins with some text in a bucket.

    Args:
        at: an address in the bucket.
        folder: what all names there begin with, `s3://bucket` or `s3://bucket/path`.
    """

    def __init__(self, at: Address, folder: str) -> None:
        self._at, self._folder = at, folder

    def shown(self, name: str) -> str:
        """As `Place`."""
        return f"{self._folder}/{name}"

    def is_at(self, name: str, address: str) -> bool:
        """As `Place`."""
        return self.shown(name) == address

    def names(self, folder: str) -> set[str]:
        """As `Place`."""
        begin = self._key(f"{folder}/")
        pages = self._ask(
            lambda client: [
                [one["Key"] for one in page.get("Contents", [])]
                for page in client.get_paginator("list_objects_v2").paginate(Bucket=self._at.bucket, Prefix=begin)
            ]
        )
        return {key.removeprefix(begin) for page in pages for key in page}

    def is_there(self, name: str) -> bool:
        """As `Place`."""
        try:
            self._ask(lambda client: client.head_object(Bucket=self._at.bucket, Key=self._key(name)))
        except GoneError:
            return False
        return True

    def read(self, name: str) -> Iterator[bytes]:
        """As `Place`."""
        bucket, key = self._at.bucket, self._key(name)
        head = self._ask(lambda client: client.head_object(Bucket=bucket, Key=key))
        for begin in range(0, head["ContentLength"], CHUNK_BYTES):
            # Each request by itself can be made again; who writes here writes the same bytes each time.
            some = f"bytes={begin}-{begin + CHUNK_BYTES - 1}"

            def fetch(client: S3Client, some: str = some) -> bytes:
                return client.get_object(Bucket=bucket, Key=key, Range=some, IfMatch=head["ETag"])["Body"].read()

            yield self._ask(fetch)

    def write(self, name: str, content: Bytes, *, new: bool = False, by: str | None = None) -> bool:
        """As `Place`; what is long is sent in parts, and is there when the store has them all."""
        del by  # What is not whole is not seen there.
        from boto3.s3.transfer import TransferConfig  # noqa: PLC0415

        bucket, key = self._at.bucket, self._key(name)

        def send(client: S3Client) -> None:
            if new:
                client.put_object(Bucket=bucket, Key=key, Body=b"".join(content()), IfNoneMatch="*")
                return
            file = cast(IO[bytes], _Stream(content()))
            client.upload_fileobj(file, bucket, key, Config=TransferConfig(max_concurrency=4))

        try:
            self._ask(send)
        except ThereAlreadyError:
            return False
        return True

    def remove(self, name: str) -> None:
        """As `Place`."""
        for inside in sorted(self.names(name)):
            self.remove(f"{name}/{inside}")
        self._ask(lambda client: client.delete_object(Bucket=self._at.bucket, Key=self._key(name)))

    def _key(self, name: str) -> str:
        return f"{self._folder}/{name}".removeprefix(f"s3://{self._at.bucket}/")

    def _ask(self, request: Callable[[S3Client], T]) -> T:
        try:
            return self._at.ask(request)
        except NothingThereError as error:
            raise GoneError(str(error)) from error
        except ThereAlreadyError:
            raise
        except S3Error as error:
            raise noted(PlaceError(str(error)), error) from error


class _Stream(io.RawIOBase):
    """Pieces of bytes as a file that is read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        found = [self._rest]
        length = len(self._rest)
        while (size < 0 or length < size) and (piece := next(self._pieces, None)) is not None:
            found.append(piece)
            length += len(piece)
        data = b"".join(found)
        cut = length if size < 0 else size
        self._rest = data[cut:]
        return data[:cut]
