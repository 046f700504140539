"""Looks for known vulnerabilities of all pinned versions, with pip-audit: ``make audit``.

    python -m scripts.audit [OPTION_OF_PIP_AUDIT ...]

Exit code 0: all versions were audited, and none has a known vulnerability. 1: some have. 2: some were not audited, because the
advisory service cannot be reached or does not know them. pip-audit itself then reports no known vulnerabilities.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from scripts.dependencies import CONSTRAINTS, all_pins

OPTIONS = ("--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json")
TIMEOUT = 600.0
"""Seconds that one call of pip-audit may take: one request for each of about 150 versions."""


class Audit:
    """The results of pip-audit for a list of pinned versions."""

    def __init__(self) -> None:
        self.audited = 0
        self.findings: list[str] = []
        self.not_audited: Counter[str] = Counter()
        """How many versions were not audited, by the reason."""

    def run(self, versions: Sequence[str], options: Sequence[str]) -> None:
        """Audits versions of different packages, each as `name==version`."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "versions.txt"
            path.write_text("\n".join(versions))
            command = [sys.executable, "-m", "pip_audit", "-r", str(path), *OPTIONS, *options]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
            except subprocess.TimeoutExpired:
                self.not_audited[f"the advisory service took more than {TIMEOUT:.0f} s"] += len(versions)
                return
        if not done.stdout:
            self.not_audited[f"the advisory service did not answer: {_error(done.stderr)}"] += len(versions)
            return
        for one in json.loads(done.stdout)["dependencies"]:
            self._add(one)

    def _add(self, dependency: dict[str, Any]) -> None:
        if reason := dependency.get("skip_reason"):
            self.not_audited[str(reason).partition(" and could")[0]] += 1
            return
        self.audited += 1
        for one in dependency["vulns"]:
            fixed = ", ".join(one["fix_versions"]) or "no version yet"
            self.findings.append(f"{dependency['name']} {dependency['version']}: {one['id']}, fixed in {fixed}")

    def lines(self) -> list[str]:
        """Returns the results, as lines for people."""
        missing = [f"audit: {count} versions not audited: {reason}" for reason, count in self.not_audited.items()]
        return [*self.findings, f"audit: {self.audited} versions audited, {len(self.findings)} known vulnerabilities", *missing]

    @property
    def exit_code(self) -> int:
        """The exit code, as in the description of this file."""
        return 1 if self.findings else 2 if self.not_audited else 0


def _error(text: str) -> str:
    """Returns the kind of error in the last line of an error output, without its details, which have addresses."""
    return (text.splitlines() or ["no output"])[-1].partition(":")[0].rpartition(".")[2]


def batches(pins: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Returns the versions in lists that have each package once, as pip-audit requires."""
    versions: dict[str, list[str]] = {}
    for name, number in pins:
        versions.setdefault(name, []).append(f"{name}=={number}")
    return [[one for one in batch if one] for batch in zip_longest(*versions.values())]


def main() -> None:
    """Audits constraints.txt, which has every version of the images' lists too."""
    audit = Audit()
    for batch in batches(all_pins(CONSTRAINTS)):
        audit.run(batch, sys.argv[1:])
    print(*audit.lines(), sep="\n")
    sys.exit(audit.exit_code)


if __name__ == "__main__":
    main()
