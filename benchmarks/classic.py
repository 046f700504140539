"""The classic way: a Flask server that classifies posted pictures: python -m benchmarks.classic MODEL PORT"""

import http.client
import sys
import time
from itertools import cycle
from pathlib import Path

from flask import Flask, Response, jsonify, request

from classifier.export import read_export
from classifier.model import Model
from classifier.preprocess import decode


def serve(model: Path, port: int) -> None:
    """Answers each POST of a picture with its labels. Decoding, scaling and model are Footfall's."""
    classifier = Model(read_export(model))
    app = Flask(__name__)

    @app.post("/image")
    def image() -> Response:
        found = classifier.run(classifier.input.to_tensor(decode(request.get_data())))
        return jsonify(predictions=[{"tagName": one.label, "probability": one.probability} for one in found])

    app.run("127.0.0.1", port, threaded=False)


def post(port: int, pictures: list[bytes], seconds: float) -> list[float]:
    """Posts one picture after the other. Returns the duration of each POST in seconds."""
    durations: list[float] = []
    end = time.monotonic() + seconds
    for picture in cycle(pictures):
        begin = time.monotonic()
        if begin > end:
            break
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/image", picture, {"Content-Type": "application/octet-stream"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"the classic server answered {answer.status}")
        connection.close()
        durations.append(time.monotonic() - begin)
    return durations


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
