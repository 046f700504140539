"""Motion in small pictures, and which frames are held back without it."""

import itertools
import math
from collections.abc import Callable, Iterator
from functools import partial

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Frame
from bus.setup import Polygon
from capture.framer import Callbacks, Framer, RateLimiter
from capture.motion.detector import MotionDetector
from capture.motion.gate import MotionGate
from capture.pictures.decoded import DecodedPicture, shrunk
from capture.pictures.picture import Pixels
from capture.pictures.prepare import Preparation
from capture.settings import Settings
from capture.source import CapturedPicture

WIDTH, HEIGHT, RATE = 320, 240, 10
"""Four px are one of the thumbnail."""
rng = np.random.default_rng(5)
ROOM = cv2.GaussianBlur(rng.integers(0, 256, (HEIGHT + 20, WIDTH + 20)).astype(np.float32), (0, 0), 6)
ROOM = 40 + 120 * (ROOM - ROOM.min()) / np.ptp(ROOM)
"""A room in soft light, with some edges."""
ROOM[60:120, 200:240] += 60
ROOM[150:, 40:44] -= 30
GRAIN = rng.normal(0, 1, (HEIGHT + 64, WIDTH + 64)).astype(np.float32)

Draw = Callable[[float], Pixels]


def room(_seconds: float = 0.0, x: float = 0.0, y: float = 0.0) -> Pixels:
    """The room, from a camera that is moved by some px."""
    moved = cv2.warpAffine(ROOM, np.array([[1, 0, x], [0, 1, y]]), ROOM.shape[::-1])
    return moved[10:-10, 10:-10].copy()


def with_box(x: float, y: float, w: int, h: int, change: float) -> Pixels:
    """The room with something in it that is brighter or darker than what is behind it."""
    corner, box = (round(x * 16), round(y * 16)), np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.rectangle(box, corner, (corner[0] + w * 16, corner[1] + h * 16), (change,), cv2.FILLED, cv2.LINE_AA, shift=4)
    return room() + box


def far_walker(t: float) -> Pixels:
    """Somebody of five thumbnail px in height who walks half of one a second."""
    return with_box(60 + 2 * t, 100, 7, 20, -45)


def hand(t: float) -> Pixels:
    """Somebody stands still, but for a hand of two thumbnail px that rises and sinks."""
    picture = with_box(140, 80, 30, 110, -50)
    y = round(120 + 8 * math.sin(3 * t))
    picture[y : y + 8, 172:180] += 50
    return picture


def visitor(t: float, change: float = -60) -> Pixels:
    return with_box(-30 + 30 * t, 60, 30, 110, change)


def busy_door(t: float) -> Pixels:
    """Three visitors at a time for two minutes, then nobody for 10 s, and then one in the colours of the wall."""
    crowd = [visitor(t % 4 + 4 * place, change) - room() for place, change in enumerate((-60, -40, 30))]
    return room() + sum(crowd) if t < 120 else room() if t < 130 else visitor(t - 130, -20)


def lamp(t: float) -> Pixels:
    """A lamp is switched on near the right side, which brightens the whole room."""
    light = np.linspace(1.2, 1.9, WIDTH, dtype=np.float32) if t > 5 else 1.0
    return np.minimum(room() * light, 255)


def clouds(t: float) -> Pixels:
    """The light falls by a third and comes back, a cloud every 20 s. The window is saturated."""
    picture = room() * (0.84 + 0.16 * math.cos(t * math.tau / 20))
    picture[20:50, 60:110] = 255
    return picture


def shaking(t: float) -> Pixels:
    """The camera shakes by a pixel."""
    return room(x=math.sin(40 * t), y=math.cos(31 * t))


def thumbnails(draw: Draw, seconds: float, noise: float, start: float = 0.0) -> Iterator[tuple[float, Pixels]]:
    """Yields times and thumbnails of a scene, by a camera with noise (sigma in levels)."""
    noises = np.random.default_rng(1)
    for number in range(round(seconds * RATE)):
        at = start + number / RATE
        top, left = noises.integers(0, 64, 2)
        picture = draw(at) + noise * GRAIN[top : top + HEIGHT, left : left + WIDTH]
        yield at, shrunk(np.clip(picture, 0, 255).astype(np.uint8))


def moving(draw: Draw, seconds: float, noise: float = 2.0, before: Draw = room) -> list[float]:
    """Returns the times with motion in a scene, after 15 s of another one."""
    detector = MotionDetector()
    for at, thumbnail in thumbnails(before, 15, noise, start=-15):
        detector.process(thumbnail, at)
    return [at for at, thumbnail in thumbnails(draw, seconds, noise) if detector.process(thumbnail, at)]


@pytest.mark.parametrize(
    ("draw", "noise", "latest", "share"),
    [
        (far_walker, 2, 0.5, 0.95),
        (far_walker, 6, 2.0, 0.5),
        (hand, 2, 0.5, 0.6),
        (visitor, 2, 0.5, 0.95),
        (visitor, 12, 1.0, 0.8),
    ],
)
def test_whoever_moves_is_seen(draw: Draw, noise: float, latest: float, share: float) -> None:
    """Far away and slow, a hand only, or at night: at once, most of the time, and never unseen for more than a second."""
    found = moving(draw, 10, noise, room if draw is not hand else lambda _: hand(0))
    assert found[0] <= latest
    assert len(found) >= share * 10 * RATE
    assert max(b - a for a, b in itertools.pairwise([*found, 10.0])) <= 1.0


@pytest.mark.parametrize("depth", [0.05, 0.1, 0.3])
def test_a_flickering_lamp_blinds_nobody(depth: float) -> None:
    """It is no motion itself. Somebody far away, hardly brighter than the wall, is seen while it flickers."""

    def lit(t: float, picture: Pixels) -> Pixels:
        dimmed: Pixels = picture * (1 - depth * (round(t * RATE) % 3 == 0))
        return dimmed

    found = moving(lambda t: lit(t, with_box(20 + 14 * t, 100, 7, 20, 25)), 16, before=lambda t: lit(t, room()))
    assert max(b - a for a, b in itertools.pairwise([0.0, *found, 16.0])) <= 2.0
    assert moving(lambda t: lit(t, room()), 20, before=lambda t: lit(t, room())) == []


def test_a_busy_door_blinds_nobody() -> None:
    """After two minutes with somebody in view at most times, the next one is seen as soon."""
    found = [at for at in moving(busy_door, 140) if at >= 130]
    assert found[0] < 131.5
    assert len(found) > 75


@pytest.mark.parametrize(
    ("draw", "noise", "seconds"),
    [(room, 2, 0), (room, 12, 0), (room, 20, 0), (shaking, 2, 5), (clouds, 2, 0), (lamp, 2, 13), (lamp, 12, 13)],
)
def test_what_is_no_motion(draw: Draw, noise: float, seconds: float) -> None:
    """Noise, clouds, a camera that shakes by a pixel, and, from eight seconds after it, a lamp that was switched on."""
    found = [at for at in moving(draw, 60, noise, lambda t: draw(min(t, 0.0))) if at >= seconds]
    assert found == []


def test_a_lamp_blinds_nobody() -> None:
    """Somebody who comes two seconds after a lamp was switched on, and goes on, is seen all the time."""

    def draw(t: float) -> Pixels:
        picture: Pixels = lamp(t) + (visitor(t - 7) - room())
        return picture

    found = moving(draw, 17)
    assert len([at for at in found if 9 <= at < 17]) >= 0.95 * 8 * RATE


def test_noise_that_sets_in_is_learned() -> None:
    """At dusk a camera amplifies its picture: after half a minute the noise is no motion any more, and a visitor still is."""
    detector = MotionDetector()
    found = [
        at
        for noise, start in ((2.0, 0.0), (16.0, 30.0))
        for at, thumbnail in thumbnails(room, 30 * (1 + (start > 0)), noise, start)
        if detector.process(thumbnail, at) and at > 0
    ]
    assert not found or 30 <= found[0] <= found[-1] < 60
    assert sum(detector.process(thumbnail, at) for at, thumbnail in thumbnails(lambda t: visitor(t - 90), 8, 16, 90)) > 50


def test_a_new_start_shows_motion() -> None:
    """The first picture, one after a gap, one of another size, and one after `restart`."""
    detector, still = MotionDetector(), np.full((60, 80), 100, np.uint8)
    times = [(0.0, still), (0.1, still), (9.0, still), (9.1, still), (9.2, still[:50]), (9.3, still[:50]), (9.2, still[:50])]
    assert [detector.process(thumbnail, at) for at, thumbnail in times] == [True, False, True, False, True, False, True]
    detector.restart()
    assert [detector.process(still[:50], at) for at in (9.3, 9.4)] == [True, False]


HEARTBEAT, HOLD = 3.0, 1.0
BRIGHT, DARK = np.full((60, 80), 100, np.uint8), np.full((60, 80), 100, np.uint8)
DARK[20:40, 20:30] = 30


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(range(20)), st.booleans()), min_size=1, max_size=80))
def test_the_gate(steps: list[tuple[bool, int, bool]]) -> None:
    """With motion, and for a while after it, pictures pass. Otherwise one passes at each heartbeat, or if it is wanted.

    `held` is the time from the last published picture to the last that was held back since. A picture that could not be published
    is followed by others, until one is.
    """
    gate, detector = MotionGate(HEARTBEAT, HOLD), MotionDetector()
    at, moved_at, published_at, held_at, pending = 0.0, 0.0, -math.inf, -math.inf, True
    for is_dark, repeats, is_online in steps:
        for number in range(repeats + 1):
            at = round(at + 0.1, 3)
            thumbnail = DARK if is_dark else BRIGHT
            moved_at = at if detector.process(thumbnail, at) else moved_at
            is_wanted = is_online and number == 7
            passes = gate.passes(thumbnail, at, is_wanted)
            assert gate.is_open == (at - moved_at <= HOLD)
            assert passes == (gate.is_open or pending or is_wanted or at - published_at >= HEARTBEAT)
            held_at = held_at if passes else at
            assert gate.held == (held_at - published_at if held_at > published_at > -math.inf else 0)
            pending = passes and not is_online
            if passes and is_online:
                gate.mark_published(at)
                published_at = at


class FilmedRoom:
    """A framer with a gate, and what it publishes: a frame every 0.1 s of a room where somebody may move."""

    def __init__(self, preparation: Preparation | None = None) -> None:
        self.held_back = 0
        self.frames: list[tuple[float, Frame]] = []
        callbacks = Callbacks(create_gate=partial(MotionGate, HEARTBEAT, HOLD), on_held_back=self._on_held_back)
        self.framer = Framer("door", RateLimiter(RATE), preparation or Preparation(), 80, callbacks)
        self.at = 100.0

    def _on_held_back(self) -> None:
        self.held_back += 1

    def film(self, seconds: float, draw: Draw = room, is_online: bool = True, is_snapshot: bool = False) -> list[float]:
        """Films for a number of seconds. Returns `held` of the frames that were made, also of those that were not published."""
        made = []
        for number in range(round(seconds * RATE)):
            self.at = round(self.at + 0.1, 3)
            picture = DecodedPicture(np.clip(draw(number / RATE), 0, 255).astype(np.uint8))
            if frame := self.framer.make_frame(CapturedPicture(picture, 5000.0 + self.at, self.at), is_snapshot):
                made.append(frame.held)
                if is_online:
                    self.frames.append((self.at, frame))
                    self.framer.mark_published()
        return made


def test_frames_are_held_back() -> None:
    """After the start, and after a visitor, only heartbeats and snapshots are published, with the time since the frame before.

    A visitor's frames start at once. Sequence numbers count published frames.
    """
    filmed = FilmedRoom()
    assert filmed.film(1) == [0] * 10
    assert filmed.film(7.1) == [0, 2.9, 2.9]
    assert filmed.film(0.1, is_snapshot=True) == [1.0]
    assert filmed.film(3.2) == [2.9]
    assert filmed.film(1, lambda t: visitor(t + 2)) == [pytest.approx(0.2)] + [0] * 9
    assert filmed.held_back == 68 + 31
    assert 20 < len(filmed.film(7)) < 60
    numbers = [frame.sequence for _, frame in filmed.frames]
    assert numbers == list(range(len(numbers)))


def test_nothing_is_held_back_after_a_frame_that_was_not_published() -> None:
    """While the broker cannot be reached, each picture becomes a frame. The first that is published says how long nothing moved
    after the last published one: until the first that was not.
    """
    filmed = FilmedRoom()
    filmed.film(5)
    last = filmed.frames[-1][0]
    before = round(filmed.at - last, 3)
    assert filmed.film(1, lambda _: with_box(100, 60, 30, 110, -60), is_online=False) == [pytest.approx(before)] * 10
    assert filmed.film(5, is_online=False) == [pytest.approx(before)] * 50
    assert filmed.film(3.2) == [pytest.approx(before), 2.9]


STREET = ((0.495, 0.0), (1.0, 0.0), (1.0, 1.0), (0.495, 1.0))


@pytest.mark.parametrize("degrees", [0, 90])
def test_the_gate_sees_what_the_frames_show(degrees: int) -> None:
    """A masked street does not open it, not even by pixels that are masked in part. A changed mask and a restart do."""
    mask: list[Polygon] = [STREET]
    filmed = FilmedRoom(Preparation(rotate=degrees, mask=lambda: tuple(mask)))

    def street(t: float) -> Pixels:
        """Somebody walks in the half that is masked: the right one; after a rotation by 90 degrees, the upper one."""
        x, y, w, h = (30 * t, 60, 20, 59) if degrees else (159 + 30 * t, 60, 20, 120)
        return with_box(x, y, w, h, -60)

    filmed.film(4)
    assert len(filmed.film(3, street)) == 1
    filmed.film(3)
    mask.clear()
    assert len(filmed.film(1)) == 10
    filmed.film(6)
    filmed.framer.restart()
    assert len(filmed.film(1)) == 10
    filmed.film(6)
    assert len(filmed.film(3, street)) > 25


@pytest.mark.parametrize(
    ("expected", "settings"),
    [
        (True, {"VIDEO_PATH": "rtsp://camera/"}),
        (True, {"VIDEO_PATH": "0", "FRAME_RATE": "2"}),
        (False, {"VIDEO_PATH": "0", "FRAME_RATE": "1.9"}),
        (True, {"VIDEO_PATH": "0", "FRAME_RATE": "1", "MOTION": "on"}),
        (False, {"VIDEO_PATH": "0", "MOTION": "off"}),
        (True, {"VIDEO_PATH": "clip.mp4"}),
        (False, {"VIDEO_PATH": "clip.mp4", "LOOP_VIDEO": "false"}),
        (True, {"VIDEO_PATH": "clip.mp4", "LOOP_VIDEO": "false", "MOTION": "on"}),
        (True, {"VIDEO_PATH": "0", "LOOP_VIDEO": "false"}),
        (False, {"VIDEO_PATH": "."}),
    ],
)
def test_what_has_a_gate(monkeypatch: pytest.MonkeyPatch, expected: bool, settings: dict[str, str]) -> None:
    """Cameras, streams and videos that are played again and again, at two frames a second or more, unless MOTION says so."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    parsed = Settings()
    assert parsed.gate_applies(parsed.create_source()) == expected
