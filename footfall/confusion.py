"""The confusion matrix of a classifier on labelled pictures, with the uncertainty of its figures."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

Z_95 = 1.959964
"""The 97.5 % quantile of the standard normal distribution, for an interval of 95 %."""


def wilson_interval(right: int, number: int) -> tuple[float, float]:
    """Returns the 95 % score interval of a proportion, both ends in 0..1; all of 0..1 if `number` is 0.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, Journal of the American
    Statistical Association 22 (1927). It suits small numbers, and proportions of 0 and 1.
    """
    if number == 0:
        return 0.0, 1.0
    share, weight = right / number, Z_95**2 / number
    centre = (share + weight / 2) / (1 + weight)
    half = Z_95 * math.sqrt(share * (1 - share) / number + weight / (4 * number)) / (1 + weight)
    return max(0.0, centre - half), min(1.0, centre + half)


def share_text(right: int, number: int) -> str:
    """Returns a proportion with its interval: ``9 of 10, 90 % (60 to 98 %)``."""
    low, high = wilson_interval(right, number)
    return f"{right} of {number}, {right / number:.0%} ({low:.0%} to {high:.0%})".replace("%", " %").replace(" % to", " to")


@dataclass
class Confusion:
    """The number of pictures by their true label and by the model's guess."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, truth: str, guess: str) -> None:
        """Counts a picture."""
        self.counts[truth, guess] += 1

    @property
    def right(self) -> int:
        """The number of pictures whose guess is the truth."""
        return sum(number for (truth, guess), number in self.counts.items() if truth == guess)

    def recall(self, label: str) -> tuple[int, int]:
        """Returns how many pictures of a label are right, and how many there are."""
        return self.counts[label, label], sum(number for (truth, _), number in self.counts.items() if truth == label)

    def table(self, order: Sequence[str]) -> str:
        """Returns the matrix as text, a row for each true label. Labels are in the given order; unused ones are left out."""
        used = {label for pair in self.counts for label in pair}
        columns = [label for label in order if label in used]
        rows = [label for label in columns if self.recall(label)[1]]
        width = max(map(len, ["true label", *rows]))
        widths = [max(len(label), 5) for label in columns]
        lines = [f"{'true label':{width}}  {'  '.join(map(str.rjust, columns, widths))}   recall (95 % interval)"]
        for row in rows:
            cells = "  ".join(f"{self.counts[row, column]:{size}}" for column, size in zip(columns, widths, strict=True))
            lines.append(f"{row:{width}}  {cells}   {share_text(*self.recall(row))}")
        total = sum(self.counts.values())
        return "\n".join([*lines, f"accuracy: {share_text(self.right, total)}"])
