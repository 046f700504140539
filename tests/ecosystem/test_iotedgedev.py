"""Microsoft's iotedgedev expands the deployment templates as `make deployment` does. Takes ten seconds."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.deployment import PLATFORMS, expand_all
from tests.support.broker import ROOT
from tests.support.wait import limit
from tests.test_deployment import LOGIN, project  # noqa: F401  # a fixture

pytestmark = [pytest.mark.system, pytest.mark.ecosystem]

PROGRAM = Path(f"{sys.prefix}-iotedgedev") / "bin" / "iotedgedev"
OWN = "CAMERA=back  # the yard\nTZ='Europe/Berlin'\nVIDEO_PATH=rtsp://user:p$w@camera.example/stream?a=1&b=2\nZONES=[] \n"
"""Lines at the end of .env, which replace the defaults. iotedgedev cannot expand a value with a double quote, such as LINES."""
NO_TELEMETRY = "[DEFAULT]\nfirsttime = no\ncollect_telemetry = no\n"


def genconfig(folder: Path, template: Path, platform: str) -> Any:
    """Returns the manifest that iotedgedev makes of a template. It reads the values from .env and the environment."""
    if not PROGRAM.exists():
        pytest.skip("needs iotedgedev: scripts/ecosystem.sh installs it")
    (folder / ".iotedgedev").mkdir(exist_ok=True)
    (folder / ".iotedgedev" / "setting.ini").write_text(NO_TELEMETRY)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"} | LOGIN
    command = [
        str(PROGRAM),
        "solution",
        "genconfig",
        "--platform",
        platform,
        "--file",
        template.name,
        "--fail-on-validation-error",
    ]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=limit(60), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "config" / template.name.replace("template", platform)).read_text())


@pytest.mark.parametrize("platform", PLATFORMS)
def test_both_expand_the_templates_alike(project: Path, platform: str) -> None:  # noqa: F811
    """Only in iotedgedev's manifest for amd64 is the display, whose image it cannot name."""
    (project / ".env").write_text((ROOT / ".env.template").read_text() + OWN)
    templates = sorted(project.glob("deployment*.template.json"))
    theirs = {one.name.replace("template", platform): genconfig(project, one, platform) for one in templates}
    if platform == "amd64":
        agent = theirs["deployment.amd64.json"]["modulesContent"]["$edgeAgent"]["properties.desired"]
        assert agent["modules"].pop("display")["settings"]["image"] == "${MODULEDIR<./display>}"
    ours = {name: manifest for name, (manifest, _) in expand_all(project, (platform,), LOGIN).items()}
    assert len(ours) == 2
    assert theirs == ours
