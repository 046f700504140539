"""JSON and msgpack of any content."""

from bus.decoding import decode_json, decode_msgpack
from tests.fuzz.target import Target, plain
from tests.support import samples

PACKED = [message.pack() for message in samples.one_of_each()]
TARGETS = [
    Target("decode.json", lambda: [one for one in PACKED if one[:1] == b"{"], plain(decode_json), errors=(ValueError,)),
    Target("decode.msgpack", lambda: [one for one in PACKED if one[:1] != b"{"], plain(decode_msgpack), errors=(ValueError,)),
]
