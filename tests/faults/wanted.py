"""A model that the hub asks the classifier for, and the server that has it."""

from contextlib import ExitStack

from bus import Prediction
from classifier.download import model_name
from demo.about import MODEL
from tests.classifier.model_server import ModelServer, make_zip, sha256
from tests.faults.rig import Rig


class WantedModel:
    """The model, with its server, which ends with the stack."""

    def __init__(self, stack: ExitStack) -> None:
        self._server = ModelServer(make_zip({one.name: one.read_bytes() for one in MODEL.iterdir()}))
        stack.callback(self._server.server_close)

    def request(self, rig: Rig) -> None:
        """Asks for it by the hub's twin."""
        rig.hub.twin.patch({"modelUrl": self._server.url, "modelSha256": sha256(self._server.content)})

    def is_served(self, rig: Rig) -> bool:
        """Returns whether it gave the newest prediction."""
        newest = Prediction.unpack(rig.operator.payloads("door/prediction")[-1])
        return newest.model.startswith(f"{model_name(self._server.url)}-")

    @property
    def requests(self) -> int:
        """How often the classifier has asked the server for it."""
        return len(self._server.paths)
