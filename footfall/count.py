"""``footfall count CLIP``: counts the visitors in a recording, with the rules and settings of a running suite."""

import argparse
import csv
import io
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from bus import InvalidSetting, Visit
from capture.source import SourceLost
from classifier.settings import Settings as ClassifierSettings
from classifier.visitors import means_nobody
from counter.settings import Settings as CounterSettings
from footfall.camera import load_settings
from footfall.clip import BEGIN, Clip, ClipResult, count_clip
from footfall.models import DEMO_WARNING, LoadedModels, print_line, set_default_model
from footfall.paths import argument_path
from footfall.places import ByLine, Places, crossing_table, crossings_by_line, visit_table
from footfall.recording import load_truth, result_table
from runtime.errors import FootfallError
from runtime.settings import load

BLIND_WARNING = "LINES and ZONES are ignored: MODEL looks at whole pictures, and only a detector says where a visitor is"
PROGRESS_INTERVAL = 0.5
"""Seconds between two updates of the progress."""


def main(arguments: argparse.Namespace) -> None:
    """Prints the visits in a recording, and the totals. Raises `InvalidSetting`, or `FootfallError` if writing fails."""
    if not arguments.clip:  # an empty setting means its default
        raise InvalidSetting("CLIP='': must be a video file or a folder of pictures")
    os.environ["VIDEO_PATH"] = arguments.clip
    set_default_model()
    capture, counter, classifier = load_settings(), load(CounterSettings), load(ClassifierSettings)
    began = _parse_began(arguments.began, counter.tz)
    if arguments.json and arguments.csv == "-":
        raise InvalidSetting("--csv -: prints to standard output, as --json does; name a file, or leave one of them out")
    _check_writable(arguments.csv)
    clip, models = Clip.open(capture), LoadedModels(classifier, "count")
    started = time.perf_counter()
    try:
        result = count_clip(clip, models.recogniser, counter, _progress())
    except SourceLost as error:
        raise InvalidSetting(f"CLIP: {error}; must be a video file or a folder of pictures") from None
    finally:
        _clear_progress()
    elapsed = time.perf_counter() - started
    if not result.frames:
        found = "no picture that can be processed" if result.unusable else "no picture"
        raise InvalidSetting(f"CLIP={arguments.clip!r}: contains {found}; must be a video file or a folder of pictures")
    is_misused = models.recogniser.is_demo and not clip.recording.is_drawn()
    places = Places.of(counter) if models.recogniser.finds_boxes else Places((), ())
    is_blind = bool(counter.lines or counter.zones) and not models.recogniser.finds_boxes
    for warning in [*models.notes, *[DEMO_WARNING] * is_misused, *[BLIND_WARNING] * is_blind, *_warnings(result)]:
        print_line("count", warning)
    rows = [_row(visit, began, places) for visit in result.visits]
    truth = load_truth(arguments.clip, lambda label: means_nobody(label, classifier.background_labels))
    if arguments.csv:
        _write_csv(arguments.csv, rows, began is not None, places)
    crossings = crossings_by_line(places, result.crossings)
    if arguments.json:
        print(json.dumps(_as_json(arguments.clip, result, rows, truth, crossings), ensure_ascii=False, indent=2))
    elif arguments.csv != "-":
        speed = f"{result.frames} frames of {result.seconds:.1f} s in {elapsed:.1f} s, {result.frames / elapsed:.1f} a second"
        totals = result_table(arguments.clip, [one.label for one in result.visits], truth)
        print("\n\n".join([visit_table(rows, places), totals, *([crossing_table(crossings)] if crossings else []), speed]))


def _parse_began(text: str | None, zone: str | None) -> datetime | None:
    """Returns the time at which the recording began; without an offset it is in `zone`, or else in the system's time zone."""
    if text is None:
        return None
    try:
        began = datetime.fromisoformat(text)
        if began.tzinfo is None:
            began = began.replace(tzinfo=ZoneInfo(zone)) if zone else began.astimezone()
        began.astimezone(timezone.utc)
    except (ValueError, OverflowError, OSError):
        raise InvalidSetting(f"--began {text!r}: must be a time such as 2026-11-26T09:00") from None
    return began


def _time_of_day(began: datetime, seconds: float, zone: Any) -> str:
    return datetime.fromtimestamp(began.timestamp() + seconds, zone).isoformat("T", "milliseconds")


def _row(visit: Visit, began: datetime | None, places: Places) -> dict[str, Any]:
    """Returns a visit with its times in seconds from the recording's start, and also as times of day if its start is known."""
    times = {"from": round(visit.started_at - BEGIN, 3), "to": round(visit.ended_at - BEGIN, 3)}
    row = {**times, "label": visit.label, "peak": round(visit.peak, 3), "frames": visit.frames} | places.columns(visit)
    if began is not None:
        row |= {f"{name}_time": _time_of_day(began, seconds, began.tzinfo) for name, seconds in times.items()}
    return row


def _warnings(result: ClipResult) -> list[str]:
    found = []
    if result.unusable:
        found.append(f"{result.unusable} pictures cannot be processed and are left out")
    if result.is_too_slow:
        found.append("the frames are too far apart, so no visit can be counted; raise FRAME_RATE or VISIT_GAP_SECONDS")
    return found


def _as_json(
    clip: str, result: ClipResult, rows: list[dict[str, Any]], truth: Mapping[str, int] | None, crossings: ByLine
) -> dict[str, Any]:
    totals = Counter(visit.label for visit in result.visits)
    document: dict[str, Any] = {"clip": clip, "frames": result.frames, "seconds": result.seconds}
    document |= {"visits": rows, "totals": totals} | ({"crossings": crossings} if crossings else {})
    return document | ({} if truth is None else {"truth": truth})


def _check_writable(name: str | None) -> None:
    """Raises `InvalidSetting` before the recording is counted, if the result could not be written."""
    if name in (None, "-"):
        return
    path = argument_path("--csv ", str(name))
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InvalidSetting(f"--csv {str(path)!r}: cannot be written")


def _write_csv(name: str, rows: list[dict[str, Any]], has_times: bool, places: Places) -> None:
    text = io.StringIO()
    columns = ["from", "to", "label", "peak", "frames", *places.column_names, *(["from_time", "to_time"] if has_times else [])]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    if name == "-":
        print(text.getvalue(), end="")
        return
    path = argument_path("--csv ", name)
    try:
        path.write_text(text.getvalue(), "utf-8")
    except OSError as error:
        raise FootfallError(f"--csv {str(path)!r}: {error.strerror}") from None


def _progress() -> Callable[[float, int], object]:
    """Returns a function that shows the progress on a terminal, and nothing elsewhere."""
    shown_at = time.monotonic()

    def show(seconds: float, visits: int) -> None:
        nonlocal shown_at
        if sys.stderr.isatty() and time.monotonic() - shown_at > PROGRESS_INTERVAL:
            shown_at = time.monotonic()
            print(f"\r{seconds:.0f} s of the recording, {visits} visits", end="", file=sys.stderr, flush=True)

    return show


def _clear_progress() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
