"""`python -m frontend`: serves the page until SIGTERM or Ctrl-C."""

import argparse
import os
import secrets
from pathlib import Path
from typing import Any

from frontend.listed import VARIABLE
from frontend.table import MOST_BYTES

PAGE = Path(__file__).with_name("page.py")
IDLE_SECONDS = 60
"""How long what a browser has asked is kept when it has gone: it may only have lost its connection."""


def settings(port: int, host: str, names: list[str]) -> dict[str, Any]:
    """Streamlit's settings, all that differ from its own; they go before those of files and of the environment."""
    return {
        "server_port": port,
        "server_address": host,
        # Of other names a page elsewhere may be the one that asks. Without any, every name will do.
        "server_allowedHosts": names,
        "server_headless": True,
        "server_enableCORS": True,
        "server_enableXsrfProtection": True,
        "server_cookieSecret": secrets.token_hex(32),
        # In MiB.
        "server_maxUploadSize": MOST_BYTES >> 20,
        "server_maxMessageSize": 50,
        "server_disconnectedSessionTTL": IDLE_SECONDS,
        "server_fileWatcherType": "none",
        "server_runOnSave": False,
        "server_enableStaticServing": False,
        "server_showEmailPrompt": False,
        "browser_gatherUsageStats": False,
        # What is wrong inside is for the log.
        "client_showErrorDetails": "none",
        "client_showErrorLinks": False,
        # Around the page, in a frame; at first those of Streamlit's own cloud.
        "client_allowedOrigins": [],
        "client_toolbarMode": "minimal",
        # Its export of tables does not mark formulas; the page's own does.
        "client_disableDataExport": True,
        "runner_magicEnabled": False,
        "logger_level": "warning",
    }


def main() -> None:
    """Parse the command line, and serve."""
    parser = argparse.ArgumentParser(prog="frontend", description="The page on which people ask the models in service.")
    parser.add_argument("--models", required=True, help="file that says which models are in service")
    parser.add_argument("--port", type=int, default=8501, help="port to listen on (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--name", action="append", default=[], help="name by which browsers reach it; may be repeated (default: any)"
    )
    options = parser.parse_args()
    os.environ[VARIABLE] = options.models

    from streamlit import net_util  # noqa: PLC0415 half a second, which a wrong option need not wait for
    from streamlit.web import bootstrap  # noqa: PLC0415

    # At a request from another origin it would ask a server of Amazon's for the address of this machine.
    net_util.get_external_ip = lambda: None
    flags = settings(options.port, options.host, options.name)
    bootstrap.load_config_options(flag_options=flags)
    bootstrap.run(str(PAGE), False, [], flags)


if __name__ == "__main__":
    main()
