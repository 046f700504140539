"""An image of the classifier with the person detector, built from the Dockerfile with --build-arg MODEL=person."""

import json
import os

import pytest

from tests.classifier.model_server import SECRET, ModelServer, make_zip
from tests.containers.conftest import BUILD, run, works
from tests.support.people import People
from tests.support.wait import limit, until

pytestmark = [pytest.mark.system, pytest.mark.containers, pytest.mark.timeout(limit(900))]

REQUEST = """
from urllib.request import Request, urlopen
picture = open("/photos/Face_images_detection1.jpg", "rb").read()
request = Request("http://127.0.0.1:8080/image", picture, {"Content-Type": "application/octet-stream"})
print(urlopen(request).read().decode())
"""


def test_an_image_with_the_person_detector(engine: None, people: People) -> None:
    """The build fetches the detector. A container without a network finds people in a photograph.

    The image has nothing of the address, which may contain a signature.
    """
    name = f"footfall-test-person-{os.getpid()}"
    with ModelServer(make_zip({"detect.tflite": people.detector.read_bytes()})) as server:
        arguments = [f"--build-arg={one}" for one in ("MODEL=person", f"PERSON_MODEL_URL={server.url}")]
        run("docker", "build", "-t", name, "--network=host", "--target=classifier", *arguments, ".", seconds=BUILD)
        assert len(server.paths) == 1
    try:
        assert SECRET not in run("docker", "history", "--no-trunc", name)
        confined = ["--network=none", "--read-only", "--tmpfs=/tmp", f"--volume={people.photos}:/photos:ro"]
        run("docker", "run", "-d", "--name", name, *confined, "-e=HTTP_PORT=8080", "-e=MQTT_PASSWORD_FILE=", name)
        ask = ("docker", "exec", name, "python3", "-c", REQUEST)
        until(lambda: works(*ask), 60, "an answer")
        answer = json.loads(run(*ask))["predictions"]
        assert (answer[0]["tagName"], answer[0]["probability"] > 0.5) == ("person", True)
    finally:
        works("docker", "rm", "-fv", name)
        run("docker", "rmi", "-f", name)
