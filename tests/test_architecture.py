"""The architecture: which packages may import which, where names and drivers may occur, and the contents of packages.

The tests read imports and names from the syntax trees, and import the programs.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bus import metric_names, states
from tests.support.broker import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
INCLUDED = [pattern.removesuffix("*") for pattern in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]]
MODULES = ("capture", "classifier", "counter", "bridge", "display", "dashboard")
ALLOWED = {
    "runtime": set(),
    "bus": {"runtime"},
    **{module: {"bus", "runtime"} for module in MODULES},
    "demo": {"bus", "runtime", *MODULES},
    "footfall": {"bus", "runtime", "demo", *MODULES},
    "benchmarks": {"bus", "runtime", "demo", "footfall", "scripts", *MODULES},
}
"""The packages of the suite that each package may import, in addition to itself."""
OURS = {*ALLOWED, "tests", "scripts"}
PRODUCT = ("runtime", "bus", *MODULES)
LARGE = {"anyio", "asyncio", "fastapi", "httpx", "http.server", "prometheus_client", "requests", "uvicorn"}
"""Libraries that programs import when they use them."""
DRIVERS = {
    "runtime": {"uvicorn": "server.py websocket.py", "sqlite3": "database.py"},
    "bus": {"paho": "client.py connection.py outbound.py subscriptions.py", "prometheus_client": "exposition.py"},
    "capture": {
        "cv2": "pictures/*.py motion/*.py",
        "av": "drivers/*.py",
        "requests": "drivers/*.py sources/http.py",
    },
    "classifier": {
        "cv2": "preprocess.py nms.py",
        "tflite_runtime": "backends/tflite.py",
        "ai_edge_litert": "backends/tflite.py",
        "onnxruntime": "backends/onnx.py",
        "flatbuffers": "flatbuffer.py inspectors/tflite.py",
        "httpx": "fetch.py download*.py */download*.py",
    },
    "counter": {"sqlite3": "database.py recovery.py schema.py changes.py", "tzlocal": "*.py"},
    "bridge": {
        "azure": "sinks/edgehub.py sinks/edgehub/*.py",
        "paho": "sinks/mqtt/connection.py",
        "sqlite3": "database.py outbox.py",
    },
    "display": {"sense_hat": "sensehat.py matrices/sensehat.py"},
    "dashboard": {},
}
"""By package: the libraries for cameras, models, disks, LEDs, the cloud and the network, and the files that may import them."""
ALL_DRIVERS = {driver for drivers in DRIVERS.values() for driver in drivers}
STATES = {value for name, value in vars(states).items() if name.isupper() and isinstance(value, str)}
METRICS = {value for name, value in vars(metric_names).items() if name.isupper()} - {"inference_ms"}  # also a field
OTHERS = {"Dockerfile", "module.json", "package.json", "requirements.txt", "requirements-onnx.txt"}
"""Files for building images or testing the page, which the running module does not need."""
WAITS = ("communicate", "join", "settimeout", "take", "timeout", "wait", "wait_for", "wait_for_publish", "wait_procs")
"""Functions whose first argument, if it is a number, is a timeout."""


@cache
def trees(package: str) -> dict[Path, ast.Module]:
    """Returns the syntax trees of a package's files, by path inside the package."""
    folder = ROOT / package
    return {path.relative_to(folder): ast.parse(path.read_text()) for path in sorted(folder.rglob("*.py"))}


def imported(tree: ast.Module) -> set[str]:
    """Returns the packages that a file imports, at any level."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert all(node.level == 0 for node in froms), "a relative import"
    names = [alias.name for node in imports for alias in node.names] + [node.module or "" for node in froms]
    return {name.partition(".")[0] for name in names}


def texts(tree: ast.AST) -> Iterator[str]:
    """Yields all strings in a file's code, including parts of f-strings, but no docstrings."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_follow_the_layers(package: str) -> None:
    """A module's container has the module's own folder, bus and runtime; the demo is not part of the product.

    Drivers are imported in few files, so that the logic works, and is tested, without them.
    """
    assert trees(package)
    for path, tree in trees(package).items():
        assert imported(tree) & OURS <= ALLOWED[package] | {package}, path
        for driver in imported(tree) & ALL_DRIVERS if package in DRIVERS else ():
            places = DRIVERS[package].get(driver, "")
            assert any(path.match(place) for place in places.split()), (
                f"{package}/{path} imports {driver}; DRIVERS allows: {places or 'no file'}"
            )


@pytest.mark.parametrize("package", PRODUCT)
def test_topics_states_and_metrics_are_spelled_in_one_place(package: str) -> None:
    """Each has its file in bus. A word such as "running" counts as a state only where it is passed or compared as one."""
    for path, tree in trees(package).items():
        if package == "bus" and path.name in ("topics.py", "states.py", "metric_names.py"):
            continue
        assert not [text for text in texts(tree) if "footfall/" in text], path
        spelled = {word for word in STATES | METRICS if "-" in word or "_" in word} & set(texts(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _name(node.func) in ("state", "Status"):
                spelled |= STATES & set(texts(node))
            if isinstance(node, ast.Compare) and any(_name(one) == "state" for one in (node.left, *node.comparators)):
                spelled |= STATES & set(texts(node))
            if isinstance(node, ast.Call) and _counts(node.func) and isinstance(node.args[0], ast.Constant | ast.IfExp):
                spelled |= set(texts(node.args[0]))
        assert not spelled, path


def _counts(function: ast.expr) -> bool:
    """Returns whether a call is `metrics.add(...)`, `metrics.put(...)`, ... or `count_and_warn(...)`."""
    of = _name(function.value) if isinstance(function, ast.Attribute) else ""
    return "count_and_warn" in _name(function) or ("metrics" in of and _name(function) in ("add", "put", "observe", "watch"))


def test_timeouts_of_tests_use_limit() -> None:
    """`limit` multiplies by FOOTFALL_TEST_PATIENCE for slow machines. Values below a second are pauses, or expected to expire."""
    for path, tree in trees("tests").items():
        for call in [node for node in ast.walk(tree) if isinstance(node, ast.Call)]:
            given = [one.value for one in call.keywords if one.arg == "timeout"]
            given += call.args[:1] if isinstance(call.func, ast.Attribute) and call.func.attr in WAITS else []
            fixed = [
                one for one in given if isinstance(one, ast.Constant) and isinstance(one.value, int | float) and one.value >= 1
            ]
            by_hand = ast.unparse(call.func).startswith(("shop.", "Heartbeat"))  # these use the test's clock
            assert by_hand or not fixed, f"tests/{path}:{call.lineno}"


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        *((f"{module}.__main__", LARGE) for module in MODULES),
        ("footfall.run", LARGE | {"bus", "pydantic"}),
        ("classifier.trial", LARGE | {"bus", "pydantic"}),
    ],
)
def test_a_program_starts_without_what_it_may_never_need(program: str, unwanted: set[str]) -> None:
    """Such libraries take memory, and time of the start."""
    code = f"import sys, {program}; print(*({unwanted} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not found.stdout.split()


def test_all_code_and_data_files_are_packaged() -> None:
    """An installed module finds the files next to its code."""
    files = {path for folder in INCLUDED for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"}
    packaged = {path for path in files if path.suffix == ".py" and (path.parent / "__init__.py") in files}
    for package, patterns in PROJECT["tool"]["setuptools"]["package-data"].items():
        packaged |= {path for pattern in patterns for path in ROOT.joinpath(*package.split(".")).glob(pattern)}
    assert {path for path in files if path.name not in OTHERS} - packaged == set()


def test_each_module_has_an_extra_and_requirements() -> None:
    """A container installs the requirements of its module only."""
    assert set(re.findall(r"python -m (\w+)", (ROOT / "footfall" / "Procfile").read_text())) == set(MODULES)
    assert {*PRODUCT, "demo", "footfall", "mosquitto"} == set(INCLUDED)
    assert set(MODULES) <= set(PROJECT["project"]["optional-dependencies"])
    assert all((ROOT / module / "requirements.txt").exists() for module in MODULES)
