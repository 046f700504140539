"""TCP ports of this machine."""

import socket

from runtime.errors import InvalidSetting


def port_problem(host: str, port: int) -> str | None:
    """Returns why a port cannot be used; None if it can."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror
    return None


def free_port(preferred: int = 0) -> int:
    """Returns a port of 127.0.0.1 that is free: the preferred one if it is, or any. Raises `InvalidSetting`."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise InvalidSetting("no free port on 127.0.0.1")
