"""A real Prometheus and its promtool."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from typing_extensions import Self

from tests.support.broker import free_port
from tests.support.wait import limit, until


def find_program(name: str) -> str:
    """Returns the path of `prometheus` or `promtool`; skips the test without it. `make test` unpacks both into .venv."""
    search = os.pathsep.join([os.environ["PATH"], f"{sys.prefix}/prometheus/usr/bin"])
    if (program := shutil.which(name, path=search)) is None:
        pytest.skip(f"needs {name}: apt-get install prometheus")
    return program


class Prometheus:
    """A Prometheus on loopback with the configuration in a file. Its data go to the file's folder."""

    def __init__(self, configuration: Path) -> None:
        self._configuration = configuration
        self._log = configuration.with_suffix(".log")
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        options = {
            "config.file": self._configuration,
            "storage.tsdb.path": self._configuration.with_suffix(".data"),
            "web.listen-address": f"127.0.0.1:{self.port}",
        }
        command = [find_program("prometheus"), *(f"--{name}={value}" for name, value in options.items())]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(lambda: "ready to receive web requests" in self._log.read_text(), 30, "Prometheus")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process
        self._process.terminate()
        self._process.wait(limit(20))

    def get(self, path: str, **parameters: str) -> Any:
        """Returns the data of an answer of the HTTP interface, version 1."""
        address = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urlencode(parameters)}"
        with urlopen(address, timeout=limit(10)) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[float]:
        """Returns the current values of an expression, without those that are not a number."""
        values = [float(series["value"][1]) for series in self.get("query", query=expression)["result"]]
        return [value for value in values if value == value]  # noqa: PLR0124
