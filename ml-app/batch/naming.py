"""What stands in braces in addresses: when the schedule began a run, in UTC.

`components/batch/addresses.ts` puts in the same, to see beforehand that no run writes what another has written.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone


class NamingError(ValueError):
    """An address cannot be completed; the message says why, and what to do."""


def dated(address: str, run: str | None) -> str:
    """An address with the time of a run in it.

    Args:
        address: with `{date}` (`2026-11-30`) or `{time}` (`2026-11-30T0200Z`) in it, or neither.
        run: name of the Job. Kubernetes ends that of a CronJob's with the minutes since 1970. Without one the address
            stays as it is.

    Raises:
        NamingError: the time is needed, and the name does not tell it.
    """
    if run is None or ("{date}" not in address and "{time}" not in address):
        return address
    minutes = re.search(r"-(\d{8})$", run)
    if minutes is None:
        raise NamingError(
            f"{address} needs the time of a run, which a CronJob's Job has in its name, and {run} has "
            "not: call it NAME-$(($(date +%s) / 60))"
        )
    # Models of others may need a Python that does not have UTC by itself.
    time = datetime.fromtimestamp(int(minutes[1]) * 60, timezone.utc)  # noqa: UP017
    return address.replace("{date}", f"{time:%Y-%m-%d}").replace("{time}", f"{time:%Y-%m-%dT%H%MZ}")
