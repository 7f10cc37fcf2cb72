"""Asks the database and the store that lie outside of the cluster what the platform will ask of them.

Runs in a pod, since what this machine reaches says nothing of what the cluster reaches. The question is a file of JSON,
the only argument; the answer, one line of JSON on standard output, lists what is wrong. Whatever is made is removed.
"""

from __future__ import annotations

import json
import socket
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import migration
import psycopg2
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Of one connection; a new pod's first may be refused even where they are allowed.
ANSWER_SECONDS = 5
PATIENCE_SECONDS = 3
LONGEST = 500
# Where MLflow keeps artifacts: a policy may open this folder only.
FOLDER = "mlflow/"
PROBE = b"Whoever sees this may remove it.\n"
STORE_FAULTS = {
    "InvalidAccessKeyId": "login",
    "SignatureDoesNotMatch": "login",
    "NoSuchBucket": "bucket",
    "AccessDenied": "forbidden",
    "AllAccessDisabled": "forbidden",
    "RequestTimeTooSkewed": "clock",
    "AuthorizationHeaderMalformed": "region",
    "PermanentRedirect": "region",
    "IllegalLocationConstraintException": "region",
}

Fact = dict[str, str]


def fact(about: str, fault: str, said: str, **more: str) -> Fact:
    """Something that is wrong: with what, which kind of fault, and the other end's own words."""
    return {"about": about, "fault": fault, "said": said.strip().rstrip(".")[:LONGEST], **more}


def unreached(host: str, port: int) -> tuple[str, str] | None:
    """Why no connection comes about: the kind of fault, and the system's words."""
    began = time.monotonic()
    while True:
        try:
            socket.create_connection((host, port), timeout=ANSWER_SECONDS).close()
            return None
        except socket.gaierror as error:
            fault, said = "name", str(error.strerror)
            if error.errno == socket.EAI_NONAME:
                return fault, said
        except TimeoutError:
            fault, said = "silent", f"no answer within {ANSWER_SECONDS} s"
        except OSError as error:
            fault, said = "closed", error.strerror or str(error)
        if time.monotonic() - began > PATIENCE_SECONDS:
            return fault, said
        time.sleep(0.5)


def ask_database(database: dict[str, Any]) -> list[Fact]:
    """What keeps MLflow from keeping its tables there."""
    address = {"host": database["host"], "port": database["port"]}
    lost = unreached(**address)
    if lost is not None:
        return [fact("database", *lost)]
    log_in = {"dbname": database["name"], "user": database["username"], "password": database["password"]}
    try:
        connection = psycopg2.connect(**address, **log_in, connect_timeout=ANSWER_SECONDS)
    except psycopg2.OperationalError as error:
        return [fact("database", refusal(migration.told(error)), migration.told(error))]
    try:
        return ask_schema(connection)
    finally:
        connection.close()


def refusal(said: str) -> str:
    """The kind of fault that a server means by its words."""
    if "FATAL:" not in said:
        return "other"
    if migration.passes(said):
        return "busy"
    return "database" if said.endswith("does not exist") and ' database "' in said else "login"


def ask_schema(connection: Any) -> list[Fact]:
    """Whether the user may make tables, and owns those that are there. Nothing that this makes is kept."""
    cursor = connection.cursor()
    try:
        cursor.execute("CREATE TABLE mlplatform_check (id integer)")
    except psycopg2.Error as error:
        return [fact("database", "schema", migration.told(error))]
    finally:
        connection.rollback()
    cursor.execute(
        "SELECT tableowner FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'alembic_version'"
        " AND NOT pg_has_role(tableowner, 'USAGE')"
    )
    return [fact("database", "owner", owner) for (owner,) in cursor.fetchall()]


class RefusedError(Exception):
    """A user of the store is not worth asking further."""


class StoreUser:
    """One of the store's users, in the bucket that it is for, or in a folder of it."""

    def __init__(self, store: dict[str, Any], name: str, bucket: str, folder: str = "") -> None:
        keys = store["users"][name]
        self.name, self.place = name, {"bucket": bucket, "folder": folder}
        self.facts: list[Fact] = []
        self.client = boto3.client(
            "s3",
            endpoint_url=store["endpoint"] or None,
            region_name=store["region"],
            aws_access_key_id=keys["accessKeyId"],
            aws_secret_access_key=keys["secretAccessKey"],
            config=Config(
                connect_timeout=ANSWER_SECONDS,
                read_timeout=2 * ANSWER_SECONDS,
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
        )

    def may(self, right: str, action: str, **arguments: object) -> Any:
        """What the store answers to an action; None where the user may not do it, which is noted.

        Raises:
            RefusedError: no other action would fare better.
        """
        try:
            return getattr(self.client, action)(Bucket=self.place["bucket"], **arguments)
        except ClientError as error:
            told = error.response.get("Error", {})
            code = str(told.get("Code", ""))
            if code in ("NoSuchKey", "404"):
                return None
            fault, said = STORE_FAULTS.get(code, "other"), f"{code}: {told.get('Message', '')}"
        except (BotoCoreError, ValueError) as error:
            said = str(error)
            fault = "certificate" if "CERTIFICATE_VERIFY_FAILED" in said else "other"
        if self.place["folder"] and fault == "other":
            # It does well elsewhere; stores have many words for what they do not let a user do.
            fault = "forbidden"
        about = self.name if fault in ("login", "bucket", "forbidden") else "store"
        key = str(arguments.get("Key", ""))
        self.facts.append(fact(about, fault, said, user=self.name, right=right, key=key, **self.place))
        if fault != "forbidden":
            raise RefusedError
        return None


def ask_store(store: dict[str, Any]) -> list[Fact]:
    """What keeps the users from what they are for."""
    tracking = StoreUser(store, "tracking", store["modelBucket"])
    address = urlsplit(tracking.client.meta.endpoint_url)
    port = address.port or {"http": 80}.get(address.scheme, 443)
    lost = unreached(address.hostname or "", port)
    if lost is not None:
        return [fact("store", *lost)]
    key = f"{FOLDER}mlplatform-check-{uuid.uuid4().hex}"
    written = ask_writer(tracking, FOLDER, key)
    if any(one["about"] == "store" for one in tracking.facts):
        return tracking.facts
    serving = StoreUser(store, "serving", store["modelBucket"])
    training = StoreUser(store, "training", store["dataBucket"])
    try:
        ask_reader(serving, FOLDER, key if written else None)
        ask_reader(training, "", None)
    finally:
        if written:
            remove(tracking, key)
    refused = any(one["fault"] != "forbidden" for one in [*tracking.facts, *training.facts])
    copies = [] if refused else ask_copies(store)
    return [*tracking.facts, *serving.facts, *training.facts, *copies, *ask_batch(store)]


def ask_copies(store: dict[str, Any]) -> list[Fact]:
    """What keeps a training from adding a copy of its data, and MLflow from handing it out and removing it."""
    folder = f"{store['copiesFolder']}/"
    adding, keeping = (StoreUser(store, name, store["dataBucket"], folder) for name in ("training", "tracking"))
    # One that cannot be removed stays the only one.
    key = f"{folder}mlplatform-check"
    with suppress(RefusedError):
        written = adding.may("write", "put_object", Key=key, Body=PROBE) is not None
        ask_reader(keeping, folder, key if written else None)
        # A store says whether a user may remove an object even where there is none.
        remove(keeping, key)
    return [*adding.facts, *keeping.facts]


def ask_batch(store: dict[str, Any]) -> list[Fact]:
    """What keeps the user who scores tables from it, if there is one."""
    if "batch" not in store["users"]:
        return []
    reader, writer = (StoreUser(store, "batch", store[bucket]) for bucket in ("dataBucket", "predictionBucket"))
    ask_reader(reader, "", None)
    key = f"mlplatform-check-{uuid.uuid4().hex}"
    if ask_writer(writer, "", key):
        remove(writer, key)
    return [*reader.facts, *writer.facts]


def ask_writer(user: StoreUser, folder: str, key: str) -> bool:
    """Whether a user may list, write and read; returns whether an object was written."""
    written = None
    with suppress(RefusedError):
        user.may("list", "list_objects_v2", Prefix=folder, MaxKeys=1)
        written = user.may("write", "put_object", Key=key, Body=PROBE)
        if written is not None:
            user.may("read", "get_object", Key=key)
    return written is not None


def ask_reader(user: StoreUser, folder: str, key: str | None) -> None:
    """Whether a user may list and read, an object that is there if there is one."""
    with suppress(RefusedError):
        listed = user.may("list", "list_objects_v2", Prefix=folder, MaxKeys=1)
        found = [one["Key"] for one in (listed or {}).get("Contents", [])]
        user.may("read", "get_object", Key=key or (found or [f"{folder}mlplatform-check"])[0])


def remove(user: StoreUser, key: str) -> None:
    """Removes what was written."""
    with suppress(RefusedError):
        user.may("delete", "delete_object", Key=key)


def main() -> None:
    """Answers the question."""
    question = json.loads(Path(sys.argv[1]).read_text())
    asked = [(ask_database, question.get("database")), (ask_store, question.get("store"))]
    with ThreadPoolExecutor() as pool:
        answers = [pool.submit(ask, place) for ask, place in asked if place is not None]
        facts = [one for answer in answers for one in answer.result()]
    json.dump({"facts": facts}, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
