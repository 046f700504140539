"""What the tests of the HTTP interface send, and how they read what comes back."""

from http.server import BaseHTTPRequestHandler
from typing import Any

import cv2
import httpx
import numpy as np

RED = np.full((40, 60, 3), (0, 51, 204), np.uint8)
SHOWN = {"blue": 0.0, "green": 0.2, "red": 0.8}


def encoded(picture: Any = RED, kind: str = ".png") -> bytes:
    """A picture as a file."""
    return bytes(cv2.imencode(kind, picture)[1].tobytes())


class Pictures(BaseHTTPRequestHandler):
    """A machine with a picture, redirections to it and away, and one that never ends."""

    def do_GET(self) -> None:  # as http.server has it
        """Answers by path."""
        path, _, rest = self.path[1:].partition("/")
        if path == "to":
            self.send_response(302)
            self.send_header("Location", rest)
            self.end_headers()
            return
        self.send_response(200 if path != "none" else 404)
        self.end_headers()
        try:
            for _ in range(10_000 if path == "endless" else 1):
                self.wfile.write(bytes(1024) if path == "endless" else encoded())
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""


def probabilities(response: httpx.Response) -> dict[str, float]:
    """By tag name; the answer has every field that its clients know."""
    assert response.status_code == 200, response.text
    answer = response.json()
    assert set(answer) == {"id", "project", "iteration", "created", "predictions"}
    assert answer["created"].endswith("Z")
    assert all(set(one) == {"tagName", "probability", "tagId", "boundingBox"} for one in answer["predictions"])
    return {one["tagName"]: one["probability"] for one in answer["predictions"]}


def refused(response: httpx.Response, status: int) -> str:
    """The message of a refusal, which is JSON."""
    assert response.status_code == status, response.text
    problem = response.json()
    assert set(problem) == {"code", "message"}
    assert problem["code"].isalpha()
    return str(problem["message"])
