"""The models that are served, MODEL and perhaps DETECTOR, each of which can be replaced while the classifier runs."""

import logging
from collections.abc import Callable
from pathlib import Path

from bus import InvalidSetting, ModelUpdate
from classifier import InvalidExport
from classifier.backends import Options
from classifier.export import Export
from classifier.labels import listed
from classifier.manager import ModelManager
from classifier.model import Model
from classifier.person import resolve
from classifier.recogniser import Recogniser, WantedVisitors, check_detector
from classifier.settings import Settings
from classifier.store import ModelStore
from classifier.visitors import means_nobody
from runtime.address import public_address

log = logging.getLogger(__name__)


class Stages:
    """The manager of MODEL, and of DETECTOR if it is set. A model that does not fit the other one is refused."""

    def __init__(self, settings: Settings, wanted_visitors: WantedVisitors = lambda _: ()) -> None:
        self._settings = settings
        self._wanted_visitors = wanted_visitors
        self._options = Options(settings.num_threads, settings.xnnpack, settings.delegate)
        self.models = ModelManager(resolve(settings.model), ModelStore(settings.state_dir), self._load_model)
        self._detectors = (
            None if settings.detector is None else ModelManager(resolve(settings.detector), ModelStore(None), self._load_detector)
        )
        self._model: Model | None = None
        self._detector: Model | None = None
        self._problems: dict[str, str] = {}
        """The problem with the files of each setting."""

    def start(self) -> Recogniser:
        """Loads the models. Raises `InvalidSetting` if they cannot be served."""
        if self._detectors is not None:
            self._detector = _start("DETECTOR", self._settings.detector, self._detectors)
        self._model = _start("MODEL", self._settings.model, self.models)
        return self._recogniser(self._model, self._detector)

    @property
    def loaded(self) -> dict[str, Model]:
        """The loaded models in the order in which they run, by their setting."""
        both = {"DETECTOR": self._detector, "MODEL": self._model}
        return {setting: model for setting, model in both.items() if model is not None}

    def step(self) -> None:
        """Downloads, tries and switches models, for about half a second. A trial takes longer."""
        if self._detectors is not None:
            self._detectors.check_files_if_due()
        self.models.step()

    def attach(
        self,
        serve: Callable[[Recogniser], object],
        report: Callable[[ModelUpdate], object],
        on_problem: Callable[[str], object],
    ) -> None:
        """Sets the callbacks after `start`. `on_problem` gets the problems with the files of the settings, or an empty text."""

        def serve_model(model: Model) -> None:
            self._model = model
            serve(self._recogniser(model, self._detector))

        def serve_detector(detector: Model) -> None:
            assert self._model is not None
            self._detector = detector
            serve(self._recogniser(self._model, detector))

        def report_problem(setting: str, problem: str) -> None:
            self._problems[setting] = problem
            on_problem("; ".join(one for one in self._problems.values() if one))

        self.models.attach(serve_model, report, lambda problem: report_problem("MODEL", problem))
        if self._detectors is not None:
            self._detectors.attach(serve_detector, lambda _: None, lambda problem: report_problem("DETECTOR", problem))

    def _load_model(self, export: Export) -> Model:
        model = Model(export, self._options)
        self._recogniser(model, self._detector)
        if self._detector is None:
            self._warn_of_unknown_visitors(model)
        names_nobody = any(means_nobody(label, self._settings.background_labels) for label in model.labels)
        if not (names_nobody or model.is_detector or self._detector):
            log.warning(
                "%s: no label means nobody, so an empty place looks like a visitor; see BACKGROUND_LABELS", model.identity
            )
        return model

    def _load_detector(self, export: Export) -> Model:
        detector = Model(export, self._options)
        check_detector(detector)
        if self._model is not None:
            self._recogniser(self._model, detector)
        self._warn_of_unknown_visitors(detector)
        return detector

    def _warn_of_unknown_visitors(self, model: Model) -> None:
        known = {label.casefold() for label in model.labels}
        if unknown := [one for one in self._settings.visitors if one.casefold() not in known]:
            log.warning("VISITORS: %s has no label %s; its labels are %s", model.identity, listed(unknown), listed(model.labels))

    def _recogniser(self, model: Model, detector: Model | None) -> Recogniser:
        return Recogniser(model, self._settings.rules, detector, self._wanted_visitors)


def _start(setting: str, path: Path | None, manager: ModelManager) -> Model:
    try:
        return manager.start()
    except InvalidExport as error:
        raise InvalidSetting(f"{setting}={public_address(str(path))!r}: {error}") from None
