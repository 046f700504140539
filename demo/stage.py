"""The picture of a moment: background, figures, light, and the camera's faults."""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.camera import Camera
from demo.canvas import Picture
from demo.light import Light
from demo.shop import Layers
from demo.view import Place, View
from demo.walk import Walker


class Item(Protocol):
    """Something that is drawn in a scene."""

    def is_outside(self, seconds: float, /) -> bool: ...

    def place(self, seconds: float, /) -> Place: ...

    def draw(self, picture: Picture, seconds: float, /) -> None: ...


class Stage:
    """The place of a scene, with its camera. `sun_patch` are the corners of the sunlit floor, px."""

    def __init__(self, seed: int, view: View, layers: Layers, sun_patch: NDArray[np.int_]) -> None:
        self._view, self._layers, self._sun_patch = view, layers, sun_patch
        self._camera = Camera(seed)

    def picture(self, items: Sequence[Item], light: Light, seconds: float) -> Picture:
        """Returns the picture that the camera takes of these items, which are drawn in their order; outside ones first."""
        picture = self._layers.room.copy()
        self._draw_sunlight(picture, light.sun)
        left, top, right, bottom = self._view.doorway
        picture[top:bottom, left:right] = self._street(items, light, seconds)[top:bottom, left:right]
        for item in items:
            if not item.is_outside(seconds):
                if isinstance(item, Walker):
                    self._draw_shadow(picture, item.place(seconds), light.sun)
                item.draw(picture, seconds)
        cv2.copyTo(self._layers.room, self._layers.furniture, picture)
        return self._camera.take(_apply_light(picture, np.array(light.inside)), seconds, light.noise)

    def _street(self, items: Sequence[Item], light: Light, seconds: float) -> Picture:
        """Returns the street behind the door, in its light relative to the room's: `picture` applies the room's light to both."""
        picture = self._layers.street.copy()
        for item in items:
            if item.is_outside(seconds):
                item.draw(picture, seconds)
        return _apply_light(picture, np.divide(light.outside, light.inside))

    def _draw_sunlight(self, picture: Picture, sun: float) -> None:
        """Brightens the floor where sunlight comes in through the door."""
        floor = picture[self._view.doorway[3] :]
        lit = floor.copy()
        cv2.fillPoly(lit, [self._sun_patch - (0, self._view.doorway[3])], (225, 240, 250), cv2.LINE_AA)
        cv2.addWeighted(lit, 0.3 * sun, floor, 1 - 0.3 * sun, 0, dst=floor)

    def _draw_shadow(self, picture: Picture, place: Place, sun: float) -> None:
        """Draws the shadow at a visitor's feet; more sunlight makes it longer."""
        x, y, scale = place.x, self._view.ground_row(place.scale), place.scale
        floor = picture[self._view.doorway[3] :]
        dark = floor.copy()
        for length, width in ((0.0, 0.3), (0.5 * sun, 0.22)):
            down = y - self._view.doorway[3] + length * 0.3 * scale
            centre = (round(x + (x - self._view.middle) * 0.2 * length), round(down))
            axes = (round(width * scale), round((0.08 + 0.35 * length) * scale))
            cv2.ellipse(dark, centre, axes, 0, 0, 360, (20, 20, 20), cv2.FILLED, cv2.LINE_AA)
        cv2.addWeighted(dark, 0.3, floor, 0.7, 0, dst=floor)


def _apply_light(picture: Picture, factors: NDArray[np.float64]) -> Picture:
    levels = np.arange(256)[:, np.newaxis] * factors
    table = np.clip(levels, 0, 255).round().astype(np.uint8)
    return cv2.LUT(picture, table[np.newaxis])
