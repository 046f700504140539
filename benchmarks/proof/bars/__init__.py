"""The bars, in the order of a reader's interest.

Figures of speed, memory and CPU time of the suite as a whole are not here: `make bench` prints them beside their limits.
"""

from benchmarks.proof.bar import Bar
from benchmarks.proof.bars import capture, counting, installation, models, page, programs, reliability

AREAS: dict[str, tuple[Bar, ...]] = {
    "Counting": counting.BARS,
    "Models": models.BARS,
    "Capture": capture.BARS,
    "Page": page.BARS,
    "Other programs": programs.BARS,
    "Reliability": reliability.BARS,
    "Installation": installation.BARS,
}
"""The bars by area."""
