"""Tests of MODEL=person: the person detector is fetched from a real server or a file, checked, and kept in a cache."""

import errno
import os
import resource
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZIP_BZIP2

import pytest
import trustme

from bus import InvalidSetting
from classifier import person
from classifier.download import Limits
from classifier.export import read_export
from classifier.labels import parse_labels
from classifier.person import PERSON, SHA256, resolve
from classifier.settings import Settings
from runtime.settings import load
from tests.classifier import model_server
from tests.classifier.model_server import SECRET, Answer, ModelServer, export_files, export_zip, make_zip, send_status, trickle
from tests.support.broker import ROOT
from tests.support.people import People

pytestmark = pytest.mark.broker  # uses sockets

Fetch = Callable[[str], Path]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that is the cache. The current folder has no model."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "footfall" / "person"


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def fetch(cache: Path, notices: list[str], monkeypatch: pytest.MonkeyPatch) -> Fetch:
    """Returns a function that resolves MODEL=person with a PERSON_MODEL_URL. Checks that an error contains no secret."""

    def fetch(address: str) -> Path:
        monkeypatch.setenv("PERSON_MODEL_URL", address)
        try:
            return resolve(PERSON, notices.append)
        except InvalidSetting as error:
            assert SECRET not in "".join(traceback.format_exception(error))
            assert str(error).isprintable()
            raise

    return fetch


@pytest.fixture
def server(people: People) -> Iterator[ModelServer]:
    """A server with a zip like that of the TensorFlow authors."""
    files = {"detect.tflite": people.detector.read_bytes(), "labelmap.txt": b"???\nperson\n"}
    with ModelServer(make_zip(files)) as running:
        yield running


def files(folder: Path) -> list[str]:
    """Returns the names of all files below a folder."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_the_labels_are_those_of_the_model(people: People) -> None:
    """The package's labels name the same classes, in the same order, as those that came with the model."""
    labels = parse_labels(person.LABELS.read_bytes())
    assert len(labels) == 90
    assert [label.replace(" ", "") for label in labels] == people.labels.read_text().split()


def test_it_is_fetched_once(people: People, server: ModelServer, fetch: Fetch, cache: Path, notices: list[str]) -> None:
    """The first use says what it fetches, from where, how large and under which licence. The second needs no server."""
    assert fetch(server.url) == cache
    for fact in ("person detector", "SSD MobileNet v1", server.root, "4.2 MB", "Apache-2.0", "COCO", str(cache)):
        assert fact in notices[0]
    assert SECRET not in notices[0]
    export = read_export(cache)
    assert (export.model, export.labels[0]) == (people.detector.read_bytes(), "person")
    assert export.identity == f"person@{SHA256[:12]}"
    server.server_close()
    assert fetch(server.url) == cache
    assert len(notices) == len(server.paths) == 1
    assert files(cache) == ["labels.txt", "model.tflite"]


@pytest.mark.parametrize("form", ["the model itself", "a zip of it in a folder", "a zip that macOS made"])
def test_a_local_file(people: People, fetch: Fetch, tmp_path: Path, form: str) -> None:
    """PERSON_MODEL_URL may be a path, of the model or of a zip with one model."""
    model, path = people.detector.read_bytes(), tmp_path / "download"
    zipped = {"a/Detect.TFLITE": model, "a/labelmap.txt": b""}
    macos = {"detect.tflite": model, "__MACOSX/._detect.tflite": b"\0\5\x16\7"}
    contents = {"the model itself": model, "a zip of it in a folder": make_zip(zipped), "a zip that macOS made": make_zip(macos)}
    path.write_bytes(contents[form])
    assert (fetch(str(path)) / "model.tflite").read_bytes() == model


def test_a_damaged_file_is_fetched_again(server: ModelServer, fetch: Fetch, cache: Path, notices: list[str]) -> None:
    """A model that was cut off or changed in the cache is replaced, and so are the labels."""
    intact = (fetch(server.url) / "model.tflite").read_bytes()
    for damaged in (intact[:-1], bytes([intact[0] ^ 1]) + intact[1:], b""):
        (cache / "model.tflite").write_bytes(damaged)
        (cache / "labels.txt").write_text("cat\n")
        fetch(server.url)
        assert (cache / "model.tflite").read_bytes() == intact
        assert read_export(cache).labels[0] == "person"
    assert [" is damaged; " in notice for notice in notices] == [False, True, True, True]


MODEL = export_files("abc")["model.tflite"]
ZIPS = {
    "no model": make_zip({"labelmap.txt": b"person"}),
    "two models": make_zip({"a.tflite": b"", "b.tflite": b""}),
    "another model": export_zip("abc"),
    "bzip2": make_zip({"detect.tflite": b"x" * 100}, ZIP_BZIP2),
    "bomb": make_zip({"detect.tflite": bytes(17 * 2**20)}),
}


@pytest.mark.parametrize(
    ("answer", "content", "reason"),
    [
        (send_status(404), b"", "answered HTTP 404"),
        (send_status(503), b"", "answered HTTP 503"),
        (send_status(302, Location=f"http://me:{SECRET}@127.0.0.1/"), b"", "a user or password"),
        (model_server.cut_off(500), ZIPS["another model"], "the connection was lost"),
        (model_server.cut_off(500, 500), ZIPS["another model"], "not a valid zip"),
        (model_server.cut_off(0, 2**28), b"", "at most 16777216 are allowed"),
        (trickle, b"", "longer than 0.5 s"),
        (model_server.send_all, b"<html>Sign in to this network</html>", "neither a TensorFlow Lite model nor a zip"),
        (model_server.send_all, MODEL, f"instead of {SHA256}"),
        (model_server.send_all, ZIPS["another model"], f"instead of {SHA256}"),
        (model_server.send_all, ZIPS["no model"], "no .tflite"),
        (model_server.send_all, ZIPS["two models"], r"a.tflite, b.tflite"),
        (model_server.send_all, ZIPS["bzip2"], "unsupported compression 12"),
        (model_server.send_all, ZIPS["bomb"], "at most 16777216"),
    ],
)
def test_bad_downloads(
    answer: Answer, content: bytes, reason: str, fetch: Fetch, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason has the server's name and what may be set instead. Nothing stays in the cache."""
    monkeypatch.setattr(person, "LIMITS", Limits(person.LIMITS.size, timeout=0.5 if answer is trickle else 60.0))
    with ModelServer(content, answer=answer) as server, pytest.raises(InvalidSetting, match=reason) as error:
        fetch(server.url)
    assert server.root in str(error.value)
    assert "PERSON_MODEL_URL" in str(error.value)
    assert not cache.exists()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("{tmp}/none.zip", "{tmp}/none.zip: No such file or directory"),
        ("{tmp}", "{tmp}: not a file"),
        ("~nobody-here/a.zip", "~nobody-here/a.zip: Could not determine home directory"),
        ("{tmp}/text", "{tmp}/text: neither a TensorFlow Lite model nor a zip"),
        ("http://127.0.0.1:{port}/a.zip", "http://127.0.0.1:{port}: cannot be reached"),
    ],
)
def test_no_file_and_no_network(address: str, reason: str, fetch: Fetch, cache: Path, tmp_path: Path) -> None:
    """A missing or unusable file, and a server that does not run, are named."""
    (tmp_path / "text").write_text("no model")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        known = {"tmp": tmp_path, "port": unused.getsockname()[1]}
        with pytest.raises(InvalidSetting) as error:
            fetch(address.format(**known))
    assert reason.format(**known) in str(error.value)
    assert not cache.exists()


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("ftp://example.org/a.zip", "ftp://example.org': must begin with https:// or http://"),
        (f"https://me:{SECRET}@example.org/", "https://example.org': must not contain a user or password"),
        (f"https://example.org/ ?sig={SECRET}", "https://example.org': must be an address of 1 to 2048 characters"),
        ("https://:80/", "must name a host"),
    ],
)
def test_bad_addresses(address: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad PERSON_MODEL_URL is a bad setting, whichever model is served."""
    monkeypatch.setenv("PERSON_MODEL_URL", address)
    with pytest.raises(InvalidSetting, match=r"^PERSON_MODEL_URL=") as error:
        load(Settings)
    assert problem in str(error.value)
    assert SECRET not in str(error.value)


def test_an_unwritable_cache(server: ModelServer, fetch: Fetch, cache: Path) -> None:
    """The folder and the variable that moves it are named."""
    cache.parent.parent.write_bytes(b"")
    with pytest.raises(InvalidSetting, match=f"{cache}: Not a directory; .*XDG_CACHE_HOME"):
        fetch(server.url)


def test_a_full_disk(server: ModelServer, fetch: Fetch, cache: Path) -> None:
    """A model that cannot be written as a whole leaves no file. It is fetched again when there is room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    try:
        with pytest.raises(InvalidSetting, match=f"{cache}: {os.strerror(errno.EFBIG)}; .*XDG_CACHE_HOME"):
            fetch(server.url)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(cache) == []
    fetch(server.url)


def test_only_the_name_is_resolved(fetch: Fetch, tmp_path: Path) -> None:
    """Other paths, and a file or folder with this name, are used as they are, without a fetch."""
    Path("person").mkdir()
    assert fetch("none") == PERSON
    for path in (tmp_path / "person", Path("demo/model"), Path("a/person")):
        assert resolve(path) == path


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c/footfall/person"),
        ({"XDG_CACHE_HOME": "c", "HOME": "/h"}, "/h/.cache/footfall/person"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/footfall/person"),
    ],
)
def test_the_cache_follows_the_xdg_specification(
    environment: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert person.cache_folder() == Path(folder)


@pytest.mark.system
def test_an_image_build(people: People, tmp_path: Path) -> None:
    """`python -m classifier.person FOLDER` writes model and labels over HTTPS, as in the Dockerfile; an error is one line."""
    authority = trustme.CA()
    with authority.cert_pem.tempfile() as trusted, ModelServer(people.detector.read_bytes(), authority) as server:

        def build(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "classifier.person", str(folder)]
            own = os.environ | {"PERSON_MODEL_URL": server.url} | environment
            return subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=False)

        refused = build(tmp_path / "refused")
        assert refused.returncode != 0
        assert "certificate verify failed" in refused.stderr.splitlines()[-1]
        assert "Traceback" not in refused.stderr
        assert not (tmp_path / "refused").exists()
        assert build(tmp_path / "model", SSL_CERT_FILE=trusted).returncode == 0
    assert files(tmp_path / "model") == ["labels.txt", "model.tflite"]
