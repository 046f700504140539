"""Sample messages."""

from dataclasses import replace

import cv2
import numpy as np

import bus

UPDATE = bus.ModelUpdate("refused", "https://models.example", "0" * 64, "labels.txt is missing", "old@0123")


def jpeg(width: int = 64, height: int = 48, level: int = 128) -> bytes:
    """Returns a grey picture as JPEG."""
    return cv2.imencode(".jpg", np.full((height, width, 3), level, np.uint8))[1].tobytes()


def frame(camera: str = "door", sequence: int = 0, captured_at: float = 1000.0) -> bus.Frame:
    """Returns a frame with a grey picture. Its session time is the wall clock's."""
    return bus.Frame(camera, "session", sequence, captured_at, captured_at, 64, 48, jpeg())


def prediction(
    label: str = "woman", probability: float = 0.9, captured_at: float = 1000.0, camera: str = "door"
) -> bus.Prediction:
    """Returns a prediction with one likely label, a visitor's unless it is "nobody".

    Its session time is the wall clock's, its number the time in milliseconds.
    """
    labels = (bus.Label(label, probability, label != "nobody"), bus.Label("rest", min(0.01, probability)))
    sequence = round(captured_at * 1000)
    return bus.Prediction(
        camera, "session", sequence, captured_at, captured_at, captured_at + 0.02, 6.5, "fruits@0123456789ab", labels
    )


def detected(*found: bus.Label | None, captured_at: float = 1000.0, camera: str = "door") -> bus.Prediction:
    """Returns a detector's prediction with a thing for each label, which is as sure as the label; None: one of 0.9 without."""
    box = bus.Box(0.1, 0.2, 0.3, 0.4)
    detections = [bus.Detection(box, one.probability if one else 0.9, (one,) if one else ()) for one in found]
    return replace(prediction(captured_at=captured_at, camera=camera), labels=(), detections=tuple(detections))


CHAIR = bus.Label("chair", 0.95, visitor=False)
"""A label of a detector that makes no visitor."""

HOURS = [f"{hour:02}" for hour in range(24)]


def report() -> bus.DayReport:
    """Returns the report of a day on which daylight saving time ends: one camera counted all day, the other never."""
    cameras = {
        "back": bus.DayCounts("back", "2026-10-25", {}, {}, dict.fromkeys(HOURS)),
        "door": bus.DayCounts("door", "2026-10-25", {"woman": 1}, {"woman": {"02": 1}}, dict.fromkeys(HOURS, 1.0)),
    }
    visit = bus.Visit("id-1", "door", "woman", 1792890000.0, 1792890003.5, 0.97, 31)
    return bus.DayReport("2026-10-25", 1792879200.0, 1792969200.0, "Europe/Berlin", cameras, (visit,))


def setup() -> bus.Setup:
    """Returns a setup with one of each part."""
    zone = ((0.1, 0.6), (0.4, 0.6), (0.4, 0.9))
    lines, zones = (bus.Line("entrance", (0.1, 0.5), (0.9, 0.5)),), (bus.Zone("till", zone),)
    return bus.Setup("door", lines, zones, mask=(((0.0, 0.0), (0.2, 0.0), (0.2, 0.3)),), visitors=("person",))


def site() -> bus.Site:
    """Returns a site with one of each part."""
    return bus.Site("Bakery at the mill", "de-CH", (bus.SiteLabel("woman", "Women", "#c2255c"), bus.SiteLabel("man", "Men")))


def one_of_each() -> list[bus.Message]:
    """Returns at least one message of each kind."""
    return [
        frame(),
        prediction(),
        replace(detected(bus.Label("person", 1), CHAIR, None), demo=True),
        bus.Visit("id-1", "door", "woman", 1000.0, 1003.5, 0.97, 31),
        bus.Summary("id-2", "door", "2026-01-31", "09", 1000.0, 4600.0, {"woman": 3}),
        bus.Visit("id-3", "door", bus.UNDECIDED, 1000.0, 1003.5, 0.0, 31, False, "in", {"till": 2.5}),
        bus.Crossing("id-4", "door", "id-3", "entrance", "in", "woman", 1002.5),
        bus.Summary(
            "id-5",
            "door",
            "2026-01-31",
            "09",
            1000.0,
            4600.0,
            {"woman": 3},
            crossings={"entrance": {"in": {"woman": 3}}},
            zones={"till": bus.ZoneTotals({"woman": 2}, 7.5)},
        ),
        bus.Occupancy("door", {"till": 2}, 3, 5, 2, 0, 1000.0, 1003.5),
        bus.Alerts(
            "door",
            (bus.ActiveAlert("queue", "waiting_seconds", "till", 120.0, 121.5, 1000.0),),
            (bus.AlertRule("queue", "till", waiting_seconds=120.0), bus.AlertRule("full", inside=50)),
        ),
        bus.Alert("id-6", "door", "id-6", True, "full", "inside", None, 50.0, 51.0, 1000.0, 1000.0),
        bus.Tracks("door", "a1", 7, 1002.5, (bus.VisitorInView(3, bus.Box(0.1, 0.2, 0.3, 0.4), "woman", 1000.0),)),
        setup(),
        bus.Setup("door"),
        site(),
        bus.Site(),
        bus.Pixels("matrix", "", bytes(192)),
        bus.CurrentLabel("door", "woman", 0.9, 1000.0),
        bus.CurrentLabel("door", None, None, None, 1000.0, True),
        bus.DayCounts("door", "2026-01-31", {"woman": 3}, {"woman": {"09": 1, "17": 2}}),
        bus.DayCounts("door", "2026-01-31", {"woman": 3}, {"woman": {"09": 3}}, {"09": 0.25, "10": None}, True),
        bus.DayCounts(
            "door",
            "2026-01-31",
            {"woman": 1},
            {"woman": {"09": 1}},
            crossings={"entrance": {"in": {"woman": {"09": 1}}, "out": {}}},
            zones={"till": bus.ZoneHours({"woman": {"09": 1}}, {"09": 2.5})},
        ),
        bus.Command("door", "pause"),
        bus.WantedModel("https://models.example/shop.zip", "0" * 64),
        bus.WantedModel(rollback=True),
        bus.Status(
            "capture", "camera-lost", 1000.0, 1001.0, "unplugged", bus.About("door"), {"frames_out": 3}, {"frames_out": 9.9}
        ),
        bus.Status("classifier", "running", 1000.0, 1001.0, about=bus.About(model="shop@0123", labels=("man",), update=UPDATE)),
        bus.Status("capture", "offline"),
        bus.Question("desk", "7", "2026-10-25"),
        bus.Question("desk"),
        bus.Answer("desk", "7", "", report()),
        bus.Answer("desk", "", "the ledger is locked", None),
    ]
