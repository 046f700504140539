"""A subscriber at QoS 1 that does nothing with its messages: python -m benchmarks.subscriber PORT NUMBER

It publishes an empty message on the topic `taken` when it is ready, and another whenever it has received that many.
"""

import sys

from paho.mqtt import client as mqtt

from bus import topics

RECEIVED = "taken"


def main(port: int, number: int) -> None:
    """Until it is ended."""
    count = 0

    def take(client: mqtt.Client, _userdata: object, _message: mqtt.MQTTMessage) -> None:
        nonlocal count
        count += 1
        if count % number == 0:
            client.publish(RECEIVED)

    client = mqtt.Client("taker", clean_session=False)
    client.on_message = take
    client.on_connect = lambda *_: client.subscribe(topics.prediction(), 1)
    client.on_subscribe = lambda *_: client.publish(RECEIVED)
    client.connect("127.0.0.1", port)
    client.loop_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
