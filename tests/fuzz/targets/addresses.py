"""Addresses that people and messages give: of models, of webhooks, and as logs show them."""

from bridge.sinks.webhook.poster import check_url
from classifier.download import check_model_address, model_name
from runtime.address import public_address
from tests.fuzz.target import FULL_RUN, Target, plain
from tests.support.mutation import PIECES

ADDRESSES = (
    b"https://models.example/shop.zip?sig=secret",
    b"http://user:secret@192.168.0.7:8080/a/b.zip#c",
    b"http://[fe80::1%25eth0]:80/",
    b"file:///tmp/model.zip",
    b"rtsp://me:secret@camera.local:554/stream?channel=1",
)
WORDS = (*PIECES, b"//", b"@", b":", b"[", b"]", b"#", b"?", b"%", b"%00", b"..", b"http://", b"\xe2\x84\xaa", b"0x7f.1", b"xn--")


def use_model_address(content: bytes) -> None:
    """Checks the address of a model, as the classifier does with a wanted one."""
    address = content.decode("utf-8", "replace")
    check_model_address(address, None)
    model_name(address)


def show(content: bytes) -> None:
    """Makes an address public, as logs show it."""
    public_address(content.decode("utf-8", "replace")).encode()


TARGETS = [
    Target("address.model", lambda: ADDRESSES, plain(use_model_address), pieces=WORDS, inputs=FULL_RUN // 3),
    Target("address.public", lambda: ADDRESSES, plain(show), pieces=WORDS, inputs=FULL_RUN // 3),
    Target(
        "address.webhook",
        lambda: ADDRESSES,
        plain(lambda one: check_url(one.decode("utf-8", "replace"))),
        pieces=WORDS,
        inputs=FULL_RUN // 3,
        errors=(ValueError,),
    ),
]
