"""The AsyncAPI document of all topics: https://www.asyncapi.com/docs/reference/specification/v3.0.0.

The application of the document is the whole suite: it sends what a module publishes, and receives what a module reads. The
operations' tags are these modules. A channel's ``x-publishers`` and ``x-subscribers`` also name users outside of the suite.
"""

from typing import Any

from bus.message import VERSION, JsonMessage, Message
from bus.requests import Answer, Question, Request
from bus.schema import message_kinds, schemas
from footfall.access import GUESTS, users

Document = dict[str, Any]
MODULES = ("capture", "classifier", "counter", "bridge", "dashboard", "display")
DESCRIPTION = """The MQTT messages of Footfall, which counts visitors and tells them apart. Times are Unix seconds.

Unknown keys are ignored. A string with the format `binary` is a binary value of msgpack, not text."""
SCHEMAS = "#/components/schemas/"
PARAMETERS = {
    "camera": "A camera: 1 to 64 of a-z, 0-9, _ and -; not classifier, display, query or status.",
    "asker": "Who asks: the name of a user of the broker.",
    "name": "A display: 1 to 64 of a-z, 0-9, _ and -.",
    "module": "A program, by the name of its user: capture, or capture-back for the camera back.",
}
"""Each field in a topic, and what it means."""
CONTENT_TYPES = {True: "application/json", False: "application/vnd.msgpack"}
"""By whether a message is JSON; https://www.iana.org/assignments/media-types/application/vnd.msgpack."""


def asyncapi() -> Document:
    """Returns the document. Raises `InvalidSetting` without the access list."""
    kinds = message_kinds()
    all_schemas = schemas(kinds, SCHEMAS)
    return {
        "asyncapi": "3.0.0",  # not 3.1: modelina 5.10 cannot read it
        "info": {
            "title": "Footfall",
            "version": f"{VERSION}.0.0",
            "description": DESCRIPTION,
            "license": {"name": "MIT"},
            "tags": [{"name": module} for module in MODULES],
        },
        "defaultContentType": CONTENT_TYPES[True],
        "servers": _servers(),
        "channels": {kind.__name__: _channel(kind) for kind in kinds},
        "operations": {name: operation for kind in kinds for name, operation in _operations(kind).items()},
        "components": {
            "messages": {kind.__name__: _message(kind, all_schemas[kind.__name__]) for kind in kinds},
            "schemas": all_schemas,
            "securitySchemes": {"password": {"type": "userPassword", "description": "A user of the broker."}},
        },
    }


def _servers() -> Document:
    port = {"default": "1883", "description": "MQTT_PORT of the run."}
    host = {"default": "localhost", "description": "The device, by a name in TLS_NAMES."}
    common = {"protocolVersion": "3.1.1"}
    return {
        "guests": {
            "host": "localhost:{port}",
            "protocol": "mqtt",
            "description": "A laptop: programs on the same machine read without a password, at QoS 0.",
            "variables": {"port": port},
            **common,
        },
        "tls": {
            "host": "{host}:8883",
            "protocol": "secure-mqtt",
            "description": "Containers: other machines sign in over TLS.",
            "variables": {"host": host},
            "security": [{"$ref": "#/components/securitySchemes/password"}],
            **common,
        },
    }


def _channel(kind: type[Message]) -> Document:
    topic = kind.TOPIC()
    (field,) = kind.TOPIC.fields_in(topic) or ("",)
    publishers, subscribers = users(topic, "write"), users(topic, "read")
    servers = ["guests", "tls"] if GUESTS in subscribers else ["tls"]
    return {
        "address": kind.TOPIC(f"{{{field}}}"),
        "messages": {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"}},
        **({"parameters": {field: _parameter(field)}} if field else {}),
        "servers": [{"$ref": f"#/servers/{server}"} for server in servers],
        "x-publishers": publishers,
        "x-subscribers": subscribers,
    }


def _parameter(field: str) -> Document:
    return {"description": PARAMETERS[field], "location": f"$message.payload#/{field}"}


def _message(kind: type[Message], schema: Document) -> Document:
    payload: Document = {"$ref": SCHEMAS + kind.__name__}
    if not issubclass(kind, Request) and "v" not in schema["required"]:  # it is also a part of another message
        payload = {"allOf": [payload, {"required": ["v"]}]}
    correlation = {"correlationId": {"location": "$message.payload#/id"}} if kind in (Question, Answer) else {}
    return {
        "name": kind.__name__,
        "title": kind.__name__,
        "summary": schema["description"].splitlines()[0],
        "contentType": CONTENT_TYPES[issubclass(kind, JsonMessage)],
        "payload": payload,
        **correlation,
        "x-max-bytes": kind.LIMIT,
    }


def _operations(kind: type[Message]) -> dict[str, Document]:
    operations = {}
    for action, right in (("send", "write"), ("receive", "read")):
        modules = [user for user in users(kind.TOPIC(), right) if user in MODULES]
        if not modules:
            continue
        delivery = {"qos": kind.QOS} | ({"retain": kind.RETAINED} if action == "send" else {})
        operations[f"{action}{kind.__name__}"] = {
            "action": action,
            "channel": _to_channel(kind),
            "messages": [_to_message(kind)],
            "tags": [{"name": module} for module in modules],
            "bindings": {"mqtt": {**delivery, "bindingVersion": "0.2.0"}},
            **({"reply": {"channel": _to_channel(Answer), "messages": [_to_message(Answer)]}} if kind is Question else {}),
        }
    return operations


def _to_channel(kind: type[Message]) -> Document:
    return {"$ref": f"#/channels/{kind.__name__}"}


def _to_message(kind: type[Message]) -> Document:
    return {"$ref": f"#/channels/{kind.__name__}/messages/{kind.__name__}"}
