"""The outcome of a soak."""

from dataclasses import dataclass, field

from tests.soak.usage import Usage

MAX_RECOVERY = 3.0
"""Seconds from a kill until all programs work again, and each camera gets predictions."""


@dataclass
class Outcome:
    """What a soak has measured, and what was wrong."""

    frames: int = 0
    predictions: int = 0
    visits: int = 0
    kills: int = 0
    seconds: tuple[float, float] = (0.0, 0.0)
    """Duration of the phases with and without kills."""
    usages: dict[str, Usage] = field(default_factory=dict)
    """By program: the samples of the phase without kills."""
    restarts: dict[str, int] = field(default_factory=dict)
    """By program: how often it was killed."""
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    """By program: the seconds from each kill until all worked again."""
    pictures: int = 0
    """Live pictures that a browser got."""
    polls: int = 0
    """Requests that were answered."""
    problems: list[str] = field(default_factory=list)
    """What was wrong, except with the resources of a program or the time until it worked again."""

    def problems_of(self, name: str) -> list[str]:
        """Returns what was wrong with a program's resources, or the time until it worked again."""
        found, slowest = self.usages[name].problems(), max(self.recoveries.get(name, ()), default=0.0)
        if slowest > MAX_RECOVERY:
            found.append(f"{slowest:.1f} s from a kill until all worked again, instead of at most {MAX_RECOVERY:g} s")
        return found

    def all_problems(self) -> list[str]:
        """Returns everything that was wrong."""
        return [*self.problems, *(f"{name}: {one}" for name in self.usages for one in self.problems_of(name))]
