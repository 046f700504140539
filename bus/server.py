"""Serves an application over HTTP in a thread of its own."""

import socket
import threading
from types import TracebackType
from typing import Any

import uvicorn
from typing_extensions import Self

from bus import InvalidSetting

MOST_REQUESTS = 32
"""At once; more are refused with 503."""
GRACE = 2
"""Seconds that requests have to end when the server does."""


class Server:
    """Listens from its creation on, so that a port that cannot be had is known at once; answers while it is entered."""

    def __init__(self, app: Any, host: str, port: int) -> None:
        """Raises `InvalidSetting` for host and port."""
        try:
            self._socket = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            raise InvalidSetting(f"HTTP_PORT={port} on {host}: {error.strerror or error}") from None
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            limit_concurrency=MOST_REQUESTS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=GRACE,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="http", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=GRACE + 1)
        self._socket.close()
