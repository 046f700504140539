"""Loads the models of MODEL and DETECTOR for a command, as the classifier does."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from classifier.model import Model
from classifier.recogniser import Recogniser
from classifier.settings import Settings
from classifier.stages import Stages
from runtime.logs import one_line


class LoadedModels:
    """The models of the settings, ready to run; `warnings` are the lines that the classifier would log about them."""

    def __init__(self, settings: Settings) -> None:
        """Raises `InvalidSetting` for a model that cannot be served."""
        stages = Stages(settings.model_copy(update={"state_dir": None}))  # not a downloaded model, but MODEL
        with _collected_warnings() as self.warnings, _quiet_libraries():
            self.recogniser: Recogniser = stages.start()
        self.by_setting: dict[str, Model] = stages.loaded
        if self.recogniser.is_demo:
            self.warnings.append("the demo's model knows drawn figures only; its labels for anything else are meaningless")


@contextmanager
def _collected_warnings() -> Iterator[list[str]]:
    """Collects the log lines of the classifier, which are not printed."""
    texts: list[str] = []
    handler, logger = logging.Handler(logging.WARNING), logging.getLogger("classifier")
    handler.emit = lambda record: texts.append(one_line(record.getMessage()))  # type: ignore[method-assign]
    logger.addHandler(handler)
    try:
        yield texts
    finally:
        logger.removeHandler(handler)


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
