"""Bars of the page."""

from benchmarks.proof.bar import Bar, Printed, asserted_by, at_least, at_most
from benchmarks.proof.read import cell, listed

DASHBOARD = "benchmarks --rounds 1 --minutes 2 dashboard"

BARS = (
    Bar("files that a browser loads for the page", at_most(300, "kB"), Printed("benchmarks.page", cell("page", 1, 2))),
    Bar(
        "axe-core, all views, light and dark, phone to wall",
        "no violation",
        asserted_by(
            "dashboard/page/test_look.py",
            "dashboard/page/test_reports_view.py::test_reports_are_accessible_and_printable",
            "dashboard/page/test_system.py::test_the_views_are_accessible",
        ),
    ),
    Bar(
        "a picture on the page has its own prediction; a hidden page asks for none",
        "always",
        asserted_by("dashboard/page/test_journeys.py::test_a_picture_has_its_prediction"),
    ),
    Bar(
        "slowest of nineteen clients beside one that reads nothing, as a share of one client alone",
        at_least(0.95),
        Printed(DASHBOARD, listed("pictures of the slowest client / of one alone:", max)),
    ),
    Bar(
        "predictions with twenty clients, as a share of those with none",
        at_least(0.95),
        Printed(DASHBOARD, listed("predictions with twenty clients / with none:", max)),
    ),
    Bar(
        "main thread of the page at 15 pictures a second",
        at_most(0.3, "of a core"),
        Printed(DASHBOARD, listed("main thread, share of a core:", max)),
    ),
    Bar(
        "growth of the page's heap in its second minute",
        at_most(0.5, "MB"),
        Printed(DASHBOARD, listed("heap in MB, minute by minute:", lambda minutes: minutes[-1] - minutes[0])),
    ),
    Bar(
        "names and labels with HTML; pages of other sites; guessed passwords",
        "shown as text; get no data; slowed down",
        asserted_by(
            "dashboard/page/test_journeys.py::test_names_are_text",
            "dashboard/page/test_access.py::test_pages_of_other_sites_get_no_data",
            "dashboard/test_password.py::test_no_sequence_gives_more_guesses_than_allowed",
        ),
    ),
)
