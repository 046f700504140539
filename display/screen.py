"""The current picture, on the matrix and on the broker."""

import contextlib
import time
from collections.abc import Callable
from typing import Protocol

from typing_extensions import Self

from bus import states
from display.matrix import Matrix, MatrixLost
from display.pixels import DARK, Picture
from runtime.backoff import Backoff


class Pictures(Protocol):
    """The picture of each label."""

    def picture(self, label: str) -> Picture: ...


class Screen:
    """Draws and publishes a label when it changes. Reopens a failed matrix with backoff; pixels are published meanwhile.

    `publish` gets the label (empty for a dark display) and the picture; `set_state` gets the module's state and its detail.
    """

    def __init__(
        self,
        matrix: Matrix,
        pictures: Pictures,
        publish: Callable[[str, Picture], object],
        set_state: Callable[[str, str], None],
        backoff: Backoff | None = None,
    ) -> None:
        self._matrix = matrix
        self._pictures = pictures
        self._publish = publish
        self._set_state = set_state
        self._backoff = backoff or Backoff()
        self._opened = contextlib.ExitStack()
        self._is_open = False
        self._retry_at = 0.0
        self._shown_at = time.monotonic()
        self._label: str | None = None
        self._picture = DARK

    def __enter__(self) -> Self:
        self._publish("", DARK)
        self.keep_open()
        return self

    def __exit__(self, *_: object) -> None:
        self._publish("", DARK)
        with contextlib.suppress(MatrixLost):
            self._opened.close()

    def show(self, label: str | None) -> None:
        """Shows a label's picture; None turns all LEDs off."""
        self._shown_at = time.monotonic()
        self.keep_open()
        if label == self._label:
            return
        self._label = label
        self._picture = DARK if label is None else self._pictures.picture(label)
        self._publish(label or "", self._picture)
        self._draw()

    @property
    def stalled(self) -> float:
        """Seconds since the last call of `show`, which a hanging matrix delays."""
        return time.monotonic() - self._shown_at

    def keep_open(self) -> None:
        """Opens the matrix if it is closed and a retry is due, and draws the current picture."""
        if self._is_open or time.monotonic() < self._retry_at:
            return
        try:
            self._opened.enter_context(self._matrix)
        except MatrixLost as error:
            self._on_lost(error)
            return
        self._is_open = True
        self._draw()
        if self._is_open:
            self._backoff.reset()
            self._set_state(states.RUNNING, "")

    def _draw(self) -> None:
        if not self._is_open:
            return
        try:
            self._matrix.show(self._picture)
        except MatrixLost as error:
            self._is_open = False
            self._opened.pop_all()  # without leaving it: its LEDs cannot be turned off
            self._on_lost(error)

    def _on_lost(self, error: MatrixLost) -> None:
        self._retry_at = time.monotonic() + self._backoff.next()
        self._set_state(states.MATRIX_LOST, str(error))
