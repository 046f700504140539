"""The table of a soak, for docs/reliability.md."""

from tests.soak.outcome import Outcome

HEAD = ("program", "kills", "recovery, s", "CPU, %", "memory at begin, MB", "at end, MB", "descriptors", "threads", "")


def table(outcome: Outcome, hours: float) -> str:
    """Returns the result as Markdown: a paragraph about the soak, and a row for each program."""
    kills, calm = outcome.seconds
    verdict = "Ledger, hub and logs are as they must be." if not outcome.problems else "**Not everything is as it must be:**"
    about = [
        f"{outcome.frames:,} frames, {hours:g} hours of cameras, in {(kills + calm) / 60:.0f} minutes.",
        f"{outcome.visits:,} visits, {outcome.pictures:,} live pictures, {outcome.polls:,} requests.",
        f"{outcome.kills} kills in the first {kills / 60:.0f} minutes cost {outcome.frames - outcome.predictions} frames.",
        verdict,
    ]
    problems = [f"- {one}" for one in outcome.problems]
    lines = [_line(HEAD), "|---|" + "---:|" * (len(HEAD) - 2) + "---|", *(_row(name, outcome) for name in outcome.usages)]
    return "\n".join([*about, *problems, "", *lines])


def _row(name: str, outcome: Outcome) -> str:
    usage, recoveries = outcome.usages[name], outcome.recoveries.get(name, [])
    begin, end = usage.memory()
    return _line(
        (
            name,
            str(outcome.restarts.get(name, 0)),
            f"{max(recoveries):.1f}" if recoveries else "",
            f"{100 * (usage.samples[-1].cpu - usage.samples[0].cpu) / max(1.0, outcome.seconds[1]):.0f}",
            f"{begin:.1f}",
            f"{end:.1f}",
            " to ".join(f"{one:g}" for one in usage.descriptors()),
            " to ".join(f"{one:g}" for one in usage.threads()),
            "**missed**" if outcome.problems_of(name) else "met",
        )
    )


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
