"""Expands deployment*.template.json to the IoT Edge deployment manifests config/deployment*.<platform>.json.

    python3 scripts/deployment.py [PLATFORM ...]        in the folder of the templates; default: all platforms

Templates and manifests have the format of iotedgedev, with three differences: a module is left out if its module.json lacks the
platform, a missing value is an error, not a remaining placeholder, and values can have double quotes. The script needs only
Python and no network. The manifests contain the registry's password.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PLATFORMS = ("arm32v7", "arm64v8", "amd64")
SUFFIX = ".template.json"
CHUNK, MAX_CHUNKS = 512, 8
"""Maximum length of a string in a twin, and maximum number of strings that edgeAgent joins to createOptions."""
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
MODULE = re.compile(r"\$\{MODULEDIR<([^>]+)>\}")
RULES = {
    "CAMERA": (r"[a-z0-9_-]{1,64}", "must have 1 to 64 characters: lower-case letters, digits, - and _"),
    "FRAME_RATE": (r"\d{1,3}(\.\d+)?", "must be a number from 0.01 to 240"),
    "ROTATE": ("0|90|180|270", "must be 0, 90, 180 or 270"),
    "MATRIX": ("sensehat|none", "must be sensehat or none"),
    "THRESHOLD": (r"[01]|0?\.\d+", "must be a number from 0 to 1"),
    "KEEP_DAYS": (r"[1-9]\d{0,4}", "must be a whole number from 1 to 36500"),
    "SHOW": ("label|occupancy", "must be label or occupancy"),
    "OCCUPANCY_RESET": (r"([01]\d|2[0-3]):[0-5]\d", "must be a time of day such as 04:00"),
    "OPENING_HOURS": (
        r"(Mo|Tu|We|Th|Fr|Sa|Su)[-, A-Za-z]*(\d\d:\d\d|off).*",
        "must be weekdays and times such as Mo-Fr 09:00-18:30; Sa 10:00-16:00",
    ),
    "FORWARD": ("none|visits|changes|all", "must be none, visits, changes or all"),
}
"""Valid values, and the modules' own messages for invalid ones, which otherwise appear only on the device."""
JSON_LISTS = ("LINES", "ZONES", "ALERTS")
"""Variables with a list in JSON. The modules check its items."""
ENV_LINE = re.compile(
    r"""\s*(?:export\s+)?(\w+)\s*=
        (?:\s+\#.*                                             # a comment and no value
        |\s*(?:'([^']*)'|"([^"]*)")(?:\s*\#.*)?
        |\s*((?!['"]).*?)(?:\s+\#.*)?)\s*""",
    re.VERBOSE,
)


class DeploymentError(Exception):
    """An error in a template, in .env or in a value; its message is one line."""


class Expansion:
    """An expansion for one platform. `missing` has the variables without a value, `left_out` the modules without an image."""

    def __init__(self, folder: Path, platform: str, values: Mapping[str, str]) -> None:
        self.folder = folder
        self.platform = platform
        self.values = values
        self.missing: set[str] = set()
        self.left_out: set[str] = set()

    def expand(self, node: Any) -> Any:
        """Returns a copy with values for variables, images for modules, and createOptions as strings."""
        if isinstance(node, str):
            module = MODULE.fullmatch(node)
            return self._image(module[1]) if module else VARIABLE.sub(self._value, node)
        if isinstance(node, list):
            return [self.expand(part) for part in node]
        if isinstance(node, dict):
            whole = {name: self.expand(part) for name, part in node.items() if not self._is_left_out(part)}
            return split_create_options(whole) if isinstance(whole.get("createOptions"), dict) else whole
        return node

    def _value(self, match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if not name.isupper():  # $upstream
            return match[0]
        if not self.values.get(name):
            self.missing.add(name)
        return self.values.get(name, "")

    def _is_left_out(self, node: Any) -> bool:
        """Returns whether this is a module without an image for the platform, such as the display on amd64."""
        match = MODULE.fullmatch(str(node["settings"].get("image"))) if isinstance(node, dict) and "settings" in node else None
        if match is None or self.platform in self._image_settings(match[1])["tag"]["platforms"]:
            return False
        self.left_out.add(Path(match[1]).name)
        return True

    def _image(self, folder: str) -> str:
        image = self._image_settings(folder)
        return f"{str(self.expand(image['repository'])).lower()}:{image['tag']['version']}-{self.platform}"

    def _image_settings(self, folder: str) -> dict[str, Any]:
        image: dict[str, Any] = read_json(self.folder / folder / "module.json")["image"]
        return image


def split_create_options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a module's settings with createOptions as strings that fit into a twin. Raises `DeploymentError` if too long."""
    text = json.dumps(settings["createOptions"], separators=(",", ":"))
    chunks = [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]
    if len(text) > (limit := CHUNK * MAX_CHUNKS):
        raise DeploymentError(f"createOptions of {settings.get('image')}: {len(text)} characters, {limit} are allowed")
    names = ["createOptions", *(f"createOptions{number:02}" for number in range(1, len(chunks)))]
    return {**settings, **dict(zip(names, chunks, strict=True))}


def read_json(path: Path) -> dict[str, Any]:
    """Returns the JSON object in a file. Raises `DeploymentError`."""
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DeploymentError(f"{path}: {error}") from None
    return content


def assignments(text: str, where: str) -> dict[str, str]:
    """Returns the variables in lines of NAME=value. Raises `DeploymentError` without the line, which might contain a password."""
    values = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = ENV_LINE.fullmatch(line.rstrip())
        if match is None:
            raise DeploymentError(f"{where}, line {number}: NAME=value is needed")
        values[match[1]] = next((value for value in match.groups()[1:] if value is not None), "").strip()
    return values


def read_values(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Returns each value from the environment, else from .env, else the default; an empty value counts as not set."""
    values: dict[str, str] = {}
    for name in (".env.template", ".env"):
        path = folder / name
        given = assignments(path.read_text("utf-8"), name) if path.exists() else {}
        values |= {variable: value for variable, value in given.items() if value or variable not in values}
    found = {variable: environment[variable] for variable in values if environment.get(variable)}
    if found.get("LINES", "").isdecimal():  # the height of the terminal, which some programs export
        del found["LINES"]
    return values | found


def find_list_problem(text: str) -> str:
    """Returns why a text is not a list in JSON, in the words of the modules; else empty."""
    try:
        return "" if isinstance(json.loads(text), list) else "must be a list of at most 16"
    except (ValueError, RecursionError) as error:
        return f"is not JSON: {error!s:.80}"


def expand_all(folder: Path, platforms: tuple[str, ...], environment: Mapping[str, str]) -> dict[str, tuple[Any, list[str]]]:
    """Returns, by file name, each manifest and the modules that it leaves out. Raises `DeploymentError`."""
    values, missing, manifests = read_values(folder, environment), set[str](), dict[str, tuple[Any, list[str]]]()
    for template in sorted(folder.glob(f"deployment*{SUFFIX}"), key=lambda path: path.name.removesuffix(SUFFIX)):
        content = read_json(template)
        content.pop("$schema-template", None)
        for platform in platforms:
            expansion = Expansion(folder, platform, values)
            name = f"{template.name.removesuffix(SUFFIX)}.{platform}.json"
            manifests[name] = expansion.expand(content), sorted(expansion.left_out)
            missing |= expansion.missing
    if not manifests:
        raise DeploymentError(f"no deployment*{SUFFIX} in {folder.absolute()}")
    for name, (rule, message) in RULES.items():
        if not re.fullmatch(rule, values.get(name, ""), re.ASCII) and values.get(name):
            raise DeploymentError(f"{name}={values[name]}: {message}")
    for name in JSON_LISTS:
        if problem := find_list_problem(values.get(name) or "[]"):
            raise DeploymentError(f"{name}={values[name]}: {problem}")
    if missing:
        raise DeploymentError(f"not set: {', '.join(sorted(missing))}; in .env, a copy of .env.template, or in the environment")
    return manifests


def write(path: Path, manifest: Any) -> None:
    """Writes a file that only its owner can read."""
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)  # another user might have it open
    path.touch(0o600)
    path.write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def main() -> int:
    """Writes all manifests. On an error, prints one line, writes nothing and returns exit code 2."""
    platforms = tuple(sys.argv[1:]) or PLATFORMS
    try:
        manifests = expand_all(Path(), platforms, os.environ)
        for name, (manifest, left_out) in manifests.items():
            write(Path("config", name), manifest)
            print(f"config/{name}", f"(without {', '.join(left_out)})" if left_out else "")
    except (DeploymentError, OSError, UnicodeError) as error:
        print(f"deployment: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
