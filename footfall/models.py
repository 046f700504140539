"""The models of a command: which one is the default, and how MODEL and DETECTOR are loaded, as the classifier does."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from classifier.model import Model
from classifier.person import PERSON, resolve
from classifier.recogniser import Recogniser
from classifier.settings import Settings
from classifier.stages import Stages
from demo.about import DEMOS, demo_of
from footfall.camera import load_settings
from runtime.errors import InvalidSetting
from runtime.logs import one_line

DEMO_WARNING = "the demo's model knows drawn figures only; its labels for anything else are meaningless"


def set_default_model() -> None:
    """Sets clip, model and settings of the demo that DEMO names, if neither MODEL nor VIDEO_PATH is set.

    Other drawn scenes get the model and the settings of their demo, and other pictures the person detector. Raises
    `InvalidSetting`.
    """
    name = os.environ.get("DEMO") or next(iter(DEMOS))
    if name not in DEMOS:
        raise InvalidSetting(f"DEMO={name!r}: must be {' or '.join(DEMOS)}")
    for setting in ("MODEL", "VIDEO_PATH"):
        if not os.environ.get(setting):
            os.environ.pop(setting, None)  # empty, as after make run MODEL=
    if os.environ.get("LINES", "").isdecimal():
        del os.environ["LINES"]  # some programs export the height of the terminal
    if "MODEL" in os.environ:
        return
    os.environ.setdefault("VIDEO_PATH", str(DEMOS[name].clip))
    if not load_settings().create_source().is_drawn():
        os.environ["MODEL"] = str(PERSON)
        return
    demo = demo_of(os.environ["VIDEO_PATH"])
    os.environ["MODEL"] = str(demo.model)
    for setting, value in demo.settings.items():
        os.environ.setdefault(setting, value)


class LoadedModels:
    """The models of the settings, ready to run; `notes` are the lines that the classifier would log about them."""

    def __init__(self, settings: Settings, command: str) -> None:
        """`command` begins the line about a detector that is fetched. Raises `InvalidSetting` if a model cannot be served."""
        notify = partial(print_line, command)
        self.path = resolve(settings.model, notify)
        detector = settings.detector and resolve(settings.detector, notify)
        found = {"model": self.path, "detector": detector, "state_dir": None}  # without STATE_DIR no downloaded model is served
        stages = Stages(settings.model_copy(update=found))
        with _collected_notes() as self.notes, _quiet_libraries():
            self.recogniser: Recogniser = stages.start()
        self.by_setting: dict[str, Model] = stages.loaded


def print_line(command: str, text: str) -> None:
    """Prints a line about a command to standard error."""
    print(f"footfall {command}: {one_line(text)}", file=sys.stderr, flush=True)


@contextmanager
def _collected_notes() -> Iterator[list[str]]:
    """Collects the log lines of the classifier, which are not printed."""
    texts: list[str] = []
    handler, logger = logging.Handler(), logging.getLogger("classifier")
    level = logger.level
    logger.setLevel(logging.INFO)
    handler.emit = lambda record: texts.append(one_line(record.getMessage()))  # type: ignore[method-assign]
    logger.addHandler(handler)
    try:
        yield texts
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Discards what libraries print to standard error, such as TensorFlow Lite about its delegates."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
