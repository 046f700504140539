"""Expands the templates of the IoT Edge deployment: deployment*.template.json to config/deployment*.<platform>.json.

    python3 scripts/deployment.py [platform ...]        from the folder of the templates; all platforms, without one

The templates are iotedgedev's, and so is the result, except that a module is left out where its module.json does not name the
platform: the display needs a Sense HAT. This needs only Python, sends nothing anywhere, and stops where a value is missing,
where iotedgedev leaves the placeholder. The manifests contain the registry's password.
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
"""Characters of a string in a twin, and how many such strings edgeAgent joins to createOptions."""
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
MODULE = re.compile(r"\$\{MODULEDIR<([^>]+)>\}")
RULES = {
    "CAMERA": (r"[a-z0-9_-]{1,64}", "lower-case letters, digits, - and _ are allowed, at most 64 characters"),
    "FRAME_RATE": (r"\d{1,3}(\.\d+)?", "must be a number from 0.01 to 240"),
    "ROTATE": ("0|90|180|270", "must be 0, 90, 180 or 270"),
    "MATRIX": ("sensehat|none", "must be sensehat or none"),
    "THRESHOLD": (r"[01]|0?\.\d+", "must be a number from 0 to 1"),
    "KEEP_DAYS": (r"[1-9]\d{0,4}", "must be a whole number from 1 to 36500"),
    "FORWARD": ("none|visits|changes|all", "must be none, visits, changes or all"),
}
"""What a value must be, in the modules' own words: on a device a bad value shows only when its module ends."""
LINE = re.compile(
    r"""\s*(?:export\s+)?(\w+)\s*=
        (?:\s+\#.*                                             # a comment and no value
        |\s*(?:'([^']*)'|"([^"]*)")(?:\s*\#.*)?
        |\s*((?!['"]).*?)(?:\s+\#.*)?)\s*""",
    re.VERBOSE,
)


class Problem(Exception):
    """One line that says what is wrong."""


class Expansion:
    """Expands templates for one platform. `missing` gathers variables without a value, `left_out` modules without an image."""

    def __init__(self, folder: Path, platform: str, values: Mapping[str, str]) -> None:
        self.folder = folder
        self.platform = platform
        self.values = values
        self.missing: set[str] = set()
        self.left_out: set[str] = set()

    def expand(self, node: Any) -> Any:
        """A copy with values for variables, images for modules, and createOptions as strings."""
        if isinstance(node, str):
            module = MODULE.fullmatch(node)
            return self._image(module[1]) if module else VARIABLE.sub(self._value, node)
        if isinstance(node, list):
            return [self.expand(part) for part in node]
        if isinstance(node, dict):
            whole = {name: self.expand(part) for name, part in node.items() if not self._is_left_out(part)}
            return chunked(whole) if isinstance(whole.get("createOptions"), dict) else whole
        return node

    def _value(self, match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if not name.isupper():  # $upstream
            return match[0]
        if not self.values.get(name):
            self.missing.add(name)
        return self.values.get(name, "")

    def _is_left_out(self, node: Any) -> bool:
        """Whether this is a module that has no image for the platform, as a display without LEDs."""
        match = MODULE.fullmatch(str(node["settings"].get("image"))) if isinstance(node, dict) and "settings" in node else None
        if match is None or self.platform in self._image_settings(match[1])["tag"]["platforms"]:
            return False
        self.left_out.add(Path(match[1]).name)
        return True

    def _image(self, folder: str) -> str:
        image = self._image_settings(folder)
        return f"{str(self.expand(image['repository'])).lower()}:{image['tag']['version']}-{self.platform}"

    def _image_settings(self, folder: str) -> dict[str, Any]:
        found: dict[str, Any] = read(self.folder / folder / "module.json")["image"]
        return found


def chunked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A module's settings with createOptions as edgeAgent reads them: strings that fit into a twin."""
    text = json.dumps(settings["createOptions"], separators=(",", ":"))
    chunks = [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]
    if len(chunks) > MAX_CHUNKS:
        raise Problem(f"createOptions of {settings.get('image')}: {len(text)} characters, {CHUNK * MAX_CHUNKS} are allowed")
    names = ["createOptions", *(f"createOptions{number:02}" for number in range(1, len(chunks)))]
    return {**settings, **dict(zip(names, chunks, strict=True))}


def read(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises `Problem`."""
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Problem(f"{path}: {error}") from None
    return content


def assignments(text: str, where: str) -> dict[str, str]:
    """The variables in lines of NAME=value. Raises `Problem`, which does not show the line: it may contain a password."""
    values = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.fullmatch(line.rstrip())
        if match is None:
            raise Problem(f"{where}, line {number}: NAME=value is needed")
        values[match[1]] = next((value for value in match.groups()[1:] if value is not None), "").strip()
    return values


def values_in(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment's values, else those of .env, else the defaults; an empty value counts as not set."""
    values: dict[str, str] = {}
    for name in (".env.template", ".env"):
        path = folder / name
        given = assignments(path.read_text("utf-8"), name) if path.exists() else {}
        values |= {variable: value for variable, value in given.items() if value or variable not in values}
    return values | {variable: environment[variable] for variable in values if environment.get(variable)}


def expand_all(folder: Path, platforms: tuple[str, ...], environment: Mapping[str, str]) -> dict[str, tuple[Any, list[str]]]:
    """Every template for every platform and the modules it leaves out, by the name of its file. Raises `Problem`."""
    values, missing, manifests = values_in(folder, environment), set[str](), dict[str, tuple[Any, list[str]]]()
    for template in sorted(folder.glob(f"deployment*{SUFFIX}"), key=lambda path: path.name.removesuffix(SUFFIX)):
        content = read(template)
        content.pop("$schema-template", None)
        for platform in platforms:
            expansion = Expansion(folder, platform, values)
            name = f"{template.name.removesuffix(SUFFIX)}.{platform}.json"
            manifests[name] = expansion.expand(content), sorted(expansion.left_out)
            missing |= expansion.missing
    if not manifests:
        raise Problem(f"no deployment{SUFFIX} here")
    for name, (rule, words) in RULES.items():
        if not re.fullmatch(rule, values.get(name, ""), re.ASCII) and values.get(name):
            raise Problem(f"{name}={values[name]}: {words}")
    if missing:
        raise Problem(f"not set: {', '.join(sorted(missing))}; in .env, a copy of .env.template, or in the environment")
    return manifests


def write(path: Path, manifest: Any) -> None:
    """Writes a file that only its owner can read."""
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)  # another may have opened it
    path.touch(0o600)
    path.write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def main() -> int:
    """Exit code 2 and one line when something is wrong, and then nothing is written."""
    platforms = tuple(sys.argv[1:]) or PLATFORMS
    try:
        manifests = expand_all(Path(), platforms, os.environ)
        for name, (manifest, left_out) in manifests.items():
            write(Path("config", name), manifest)
            print(f"config/{name}", f"(without {', '.join(left_out)})" if left_out else "")
    except (Problem, OSError, UnicodeError) as problem:
        print(f"deployment: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
