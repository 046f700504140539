"""The example configuration and the alert rules in docs/grafana, checked by promtool."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.broker import ROOT
from tests.support.prometheus import find_program
from tests.support.wait import limit

pytestmark = pytest.mark.system

RULES = ROOT / "docs" / "grafana" / "alerts.yml"
CASES = Path(__file__).parent / "alerts.test.yml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the rules, the example configuration and the cases."""
    for path in (RULES, RULES.with_name("prometheus.yml"), CASES):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", ["check config prometheus.yml", "check rules alerts.yml", "test rules alerts.test.yml"])
def test_promtool_accepts(command: str, folder: Path) -> None:
    """The files are valid, and each alert fires, with its text, in the cases in which it should, and only in those."""
    words = [find_program("promtool"), *command.split()]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=limit(60), check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_in_which_it_fires() -> None:
    """A new rule needs a case too."""
    rules = {rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}
    cases = [case for test in yaml.safe_load(CASES.read_text())["tests"] for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == rules
