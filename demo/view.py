"""The view of a scene's camera: where a place on the ground is in the picture, and how large figures are there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Column in px, and scale in px a metre: larger is nearer."""

    x: float
    scale: float


@dataclass(frozen=True, slots=True)
class View:
    """A fixed camera in front of a door. Its picture plane is vertical, so figures that stand upright keep their proportions.

    The scales, in px a metre, are those on the pavement outside, in the door, and at the places nearest to the camera.
    """

    horizon: float
    """Row of the camera's eye level, px. It is negative if the camera looks down: above the picture."""
    camera_height: float
    """Metres. With the horizon it gives the row of the ground at each scale."""
    focal_length: float
    """In px: the distance in metres is this divided by the scale."""
    doorway: tuple[int, int, int, int]
    """Left, top, right and bottom of the door, px."""
    middle: float
    """Column of the picture's middle, px."""
    street_scale: float
    door_scale: float
    near_scale: float

    def ground_row(self, scale: float) -> float:
        """Returns the row of the ground under a figure that is drawn at `scale` px a metre."""
        return self.horizon + self.camera_height * scale

    def distance(self, scale: float) -> float:
        """Returns the distance from the camera, in metres along its axis."""
        return self.focal_length / scale

    def place(self, x: float, distance: float) -> Place:
        """Returns the place `x` metres to the right of the camera's axis and `distance` metres away along it."""
        scale = self.focal_length / distance
        return Place(self.middle + x * scale, scale)
