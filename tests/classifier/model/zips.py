"""Zips of models, sound and unsound, and what becomes of them in a store."""

import hashlib
import io
import zipfile
from pathlib import Path

from classifier.model.store import ModelStore

URL = "https://example.org/models/people.zip"
EXPORT = {"model.tflite": b"model", "labels.txt": b"woman\nman\n", "cvexport.manifest": b"{}"}


def zipped(files: dict[str, bytes] | None = None, **changes: bytes) -> bytes:
    """A zip as Custom Vision exports it; `changes` are further files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**(EXPORT if files is None else files), **changes}.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)  # of 1980, so that it is always the same
    return buffer.getvalue()


def with_entry(name: str, content: bytes = b"x", attributes: int = 0, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of a model with one entry more, made as it is told."""
    buffer = io.BytesIO(zipped())
    entry = zipfile.ZipInfo(name)
    entry.filename = name  # unchecked
    entry.external_attr = attributes
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(entry, content, compression)
    return buffer.getvalue()


def sha256(content: bytes) -> str:
    """As hex digits."""
    return hashlib.sha256(content).hexdigest()


def install(store: ModelStore, content: bytes, url: str = URL) -> str:
    """Has a zip of these bytes served, and says what its folder is called."""
    archive = store.folder.parent / "download.zip"
    archive.write_bytes(content)
    name = store.unpack(archive, url, sha256(content))
    store.turn_to(name)
    return name


def names(folder: Path) -> set[str]:
    """What is there."""
    return {path.name for path in folder.iterdir()}


def tree(folder: Path) -> dict[str, str]:
    """All that is there: links with where they lead, files with what is in them."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_text("latin-1")
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def folder_of(content: bytes) -> str:
    """What the folder of a zip from the server, or from `URL`, is called."""
    return f"people-{sha256(content)[:12]}"


def factory_model(path: Path) -> Path:
    """Makes a folder with a model that did not come as a zip."""
    path.mkdir()
    (path / "model.tflite").write_bytes(b"factory")
    (path / "labels.txt").write_text("nobody\nsomebody")
    return path
