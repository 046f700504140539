"""Bars of cameras and recordings."""

from benchmarks.proof.bar import Bar, Printed, asserted_by, at_most
from benchmarks.proof.read import cell, worst

CAPTURE = "benchmarks.capture {people}/photos"
CASES = ("camera", "60/s", "consumer", "slow disk", "stalls")

BARS = (
    Bar("CPU of pictures passed on beside decoded ones, 640x480", at_most(0.25), Printed(CAPTURE, cell("640x480", 3, 6))),
    Bar("CPU of pictures passed on beside decoded ones, 1280x720", at_most(0.15), Printed(CAPTURE, cell("1280x720", 3, 6))),
    Bar(
        "age of a frame when it is published, p99, worst of five cases",
        at_most(2, "intervals"),
        Printed(CAPTURE, worst(CASES, 1)),
    ),
    Bar(
        "50 lost connections: RTSP, HTTP, USB, libcamera",
        "descriptors and threads as before; memory grows by 10 MB at most",
        asserted_by(
            "capture/test_streams.py::test_reconnects_leave_nothing_behind",
            "capture/test_sources.py::test_many_reconnections_leave_nothing_open",
            "capture/test_usb_cameras.py::test_a_reopened_camera_leaves_nothing_behind",
            "capture/test_libcamera.py::test_a_reopened_camera_leaves_nothing_behind",
        ),
    ),
    Bar(
        "visitors in live HLS",
        "the visits of the clip, times within 0.2 s",
        asserted_by("capture/test_streams.py::test_visitors_of_a_live_hls_stream", is_timed=True),
    ),
    Bar(
        "whoever moves is seen by the motion gate",
        "at once, and never unseen for more than a second",
        asserted_by("capture/test_motion.py::test_whoever_moves_is_seen"),
    ),
    Bar(
        "masked parts of a picture",
        "in no frame on the broker",
        asserted_by("capture/test_capture.py::test_masked_parts_never_leave_the_module"),
    ),
    Bar(
        "a source that hangs in its driver",
        "opened again; at the second time the program ends",
        asserted_by(
            "capture/test_capture.py::test_a_camera_that_hangs_is_opened_again",
            "capture/test_usb_cameras.py::test_a_driver_that_hangs",
        ),
    ),
    Bar(
        "passwords in addresses of cameras",
        "in no log line and no message",
        asserted_by(
            "capture/test_capture.py::test_no_secret_of_an_address_is_shown", "runtime/test_logs.py::test_no_secret_is_shown"
        ),
    ),
)
