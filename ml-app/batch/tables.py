"""A table, by its address: fetched if it lies in a bucket, and read by what it is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from batch.csvtable import CsvTable
from batch.parquet import ENCRYPTED, MAGIC, ParquetTable
from batch.places import PlaceError
from batch.source import Source, SourceError, Wanted, changed
from modelkit.connecting import noted
from modelkit.s3 import Address, AddressError, NothingThereError, S3Error


@contextmanager
def opened(address: str, columns: Wanted | Sequence[str], room: int | None = None) -> Iterator[Source]:
    """A table.

    One in a bucket is copied into the folder for temporary files first: it is read several times, and a copy stays as
    it is.

    Args:
        address: a path, or `s3://bucket/key`.
        columns: those that the model takes.
        room: for a copy, in bytes. By default as much as its folder has.

    Raises:
        SourceError: it cannot be read, or has not these columns.
        PlaceError: the store does not hand it out now.
    """
    if "://" in address and not address.startswith("s3://"):
        raise SourceError(f"{address}: give a path, or an address that starts with s3://")
    if not address.startswith("s3://"):
        yield _table(Path(address), columns, address)
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "table")
        try:
            _fetch(Address(address), copy, room)
        except (AddressError, NothingThereError) as error:
            raise SourceError(str(error)) from error
        except S3Error as error:
            raise noted(PlaceError(str(error)), error) from error
        except OSError as error:
            raise PlaceError(f"{address} cannot be copied to {folder}: {error.strerror or error}") from error
        yield _table(copy, columns, address)


def _fetch(at: Address, copy: Path, room: int | None) -> None:
    head = at.ask(lambda client: client.head_object(Bucket=at.bucket, Key=at.key))
    size = head["ContentLength"]
    free = min(shutil.disk_usage(copy.parent).free, room or size)
    if size > free:
        raise SourceError(f"{at.text} has {size:,} bytes, and there is room for {free:,} here: make more")
    at.ask(lambda client: client.download_file(at.bucket, at.key, str(copy)))
    after = at.ask(lambda client: client.head_object(Bucket=at.bucket, Key=at.key))
    if after["ETag"] != head["ETag"]:
        raise changed(at.text)


def _table(path: Path, columns: Wanted | Sequence[str], shown: str) -> Source:
    try:
        with path.open("rb") as file:
            begin = file.read(len(MAGIC))
    except OSError:
        begin = b""
    if begin == ENCRYPTED:
        raise SourceError(f"{shown} is an encrypted Parquet file, whose key nobody knows here: give it decrypted")
    if begin != MAGIC:
        return CsvTable(path, columns, shown)
    return ParquetTable(path, columns, shown)
