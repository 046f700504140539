"""MODEL=person: the person detector, fetched once, checked by its SHA-256, and kept in a cache.

It is an SSD MobileNet v1, quantised, by the TensorFlow authors (Apache-2.0), trained on COCO's photographs of everyday scenes
(https://cocodataset.org). The package has its labels, coco.txt, so only the model file is fetched. COCO names 91 classes and
published examples of 80; the model never learned the other names, such as "hat". An image build runs
``python -m classifier.person FOLDER``.
"""

import hashlib
import logging
import os
import re
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from classifier import InvalidExport
from classifier.download import Limits, check_model_address, replacing, stream
from classifier.files import LABELS_FILE, MODEL_FILE
from classifier.filetypes import is_tflite
from classifier.settings import Settings
from classifier.zips import BoundedBytes, read_entry
from runtime import logs
from runtime.address import public_address
from runtime.errors import FootfallError, InvalidSetting
from runtime.settings import load

log = logging.getLogger(__name__)

PERSON = Path("person")
"""The MODEL that means the person detector, unless there is a file or folder of this name."""
SHA256 = "e4b118e5e4531945de2e659742c7c590f7536f8d0ed26d135abcfe83b4779d13"
"""SHA-256 of the model file. It is pinned, so its source need not be trusted."""
DESCRIPTION = "SSD MobileNet v1, quantised, 4.2 MB"
LICENCE = "by the TensorFlow authors, Apache-2.0, trained on COCO"
LABELS = Path(__file__).with_name("coco.txt")
LIMITS = Limits(16 * 1024 * 1024, timeout=300.0)
"""Limits of the download. The size limits the model in a zip too."""
MODEL_NAME = re.compile(r"(^|[/\\])(?!\._)[^/\\]+\.tflite$", re.IGNORECASE)
"""The path of a model in a zip. macOS adds a file ._NAME for each file."""


def resolve(path: Path, notify: Callable[[str], object] = log.info) -> Path:
    """Returns the folder of the person detector if the path is `person` and does not exist, and otherwise the path.

    Fetches the detector if the cache lacks it. `notify` then gets a line about what is fetched. Raises `InvalidSetting`.
    """
    if path != PERSON or path.exists():
        return path
    folder = cache_folder()
    install(folder, load(Settings).person_model_url, notify)
    return folder


def cache_folder() -> Path:
    """Returns the folder for the detector below XDG_CACHE_HOME, which must be absolute, or ~/.cache. Raises `InvalidSetting`.

    The rules are those of the XDG Base Directory Specification. The classifier's image sets XDG_CACHE_HOME to STATE_DIR, because
    its home is a file system in memory: a restarted container needs no network.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (cache if cache.is_absolute() else Path.home() / ".cache") / "footfall" / "person"
    except RuntimeError:
        raise InvalidSetting("there is no home folder for the person detector; set XDG_CACHE_HOME to a folder") from None


def install(folder: Path, source: str, notify: Callable[[str], object]) -> None:
    """Writes model and labels to a folder, unless they are there and intact. `source` is an address or path.

    Raises `InvalidSetting`. An error leaves no file behind.
    """
    model, found = folder / MODEL_FILE, b""
    try:
        if model.is_file():
            found = model.read_bytes()
        if not _is_model(found):
            damaged = f"{model} is damaged; " if model.exists() else ""
            notify(f"{damaged}fetching the person detector ({DESCRIPTION}; {LICENCE}) from {public_address(source)} to {folder}")
            _write(model, _fetch(source))
        if not (folder / LABELS_FILE).exists() or (folder / LABELS_FILE).read_bytes() != LABELS.read_bytes():
            _write(folder / LABELS_FILE, LABELS.read_bytes())
    except OSError as error:
        hint = "XDG_CACHE_HOME may be another folder"
        raise InvalidSetting(f"the person detector cannot be kept in {folder}: {error.strerror}; {hint}") from None


def _is_model(content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == SHA256


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, f".{os.getpid()}.part") as file:  # two runs may start at the same time
        file.write(content)


def _fetch(source: str) -> bytes:
    """Returns the model from an address or path. Raises `InvalidSetting`."""
    place = public_address(source)
    try:
        if "://" in source:
            with closing(stream(source, check_model_address, LIMITS)) as chunks:
                content = b"".join(chunks)
        else:
            if (path := Path(source).expanduser()).exists() and not path.is_file():
                raise ValueError("not a file")
            with path.open("rb") as file:
                content = file.read(LIMITS.size + 1)
        name, model = _extract(content)
        if _is_model(model):
            return model
        problem = f"{place}: the SHA-256 of {name} is {hashlib.sha256(model).hexdigest()} instead of {SHA256}"
    except FootfallError as error:
        problem = str(error)
    except OSError as error:
        problem = f"{place}: {error.strerror}"
    except (ValueError, RuntimeError) as error:  # RuntimeError: no home folder for ~
        problem = f"{place}: {error}"
    hint = "PERSON_MODEL_URL may be another address, or the path of a copy"
    raise InvalidSetting(f"the person detector cannot be fetched: {problem}; {hint}")


def _extract(content: bytes) -> tuple[str, bytes]:
    """Returns the name and content of the model in a download: a TensorFlow Lite file, or a zip with one. Raises `ValueError`."""
    if is_tflite(content):
        return "the file", content
    if not content.startswith(b"PK"):
        raise ValueError(f"neither a TensorFlow Lite model nor a zip with one ({len(content)} bytes)")
    try:
        with zipfile.ZipFile(BoundedBytes(content)) as archive:
            entries = [entry for entry in archive.infolist() if MODEL_NAME.search(entry.filename)]
            if len(entries) != 1:
                found = ", ".join(entry.filename for entry in entries)[:200] or "no .tflite file"
                raise ValueError(f"{found} in the zip; it must have exactly one .tflite file")
            name = entries[0].filename[-200:]
            return name, read_entry(archive, entries[0], name, LIMITS.size)
    except (ValueError, InvalidExport) as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # zipfile's errors have no common base class
        raise ValueError(f"not a valid zip ({str(error)[:200]})") from None


def main() -> None:
    """Writes the person detector to the folder in the arguments."""
    logs.configure(verbose=False, plain=True)
    try:
        install(Path(sys.argv[1]), load(Settings).person_model_url, log.info)
    except InvalidSetting as error:
        sys.exit(f"classifier: {logs.one_line(str(error))}")


if __name__ == "__main__":
    main()
