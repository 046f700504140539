"""A subscriber at QoS 1 that ignores its messages: python -m benchmarks.subscriber PORT NUMBER

It publishes an empty message on the topic `received` when it is ready, and again after each NUMBER of messages.
"""

import sys

from paho.mqtt import client as mqtt

from bus import topics

RECEIVED = "received"


def main(port: int, number: int) -> None:
    """Subscribes to all predictions, until the process is stopped."""
    count = 0

    def on_message(client: mqtt.Client, _userdata: object, _message: mqtt.MQTTMessage) -> None:
        nonlocal count
        count += 1
        if count % number == 0:
            client.publish(RECEIVED)

    client = mqtt.Client("subscriber", clean_session=False)
    client.on_message = on_message
    client.on_connect = lambda *_: client.subscribe(topics.prediction(), 1)
    client.on_subscribe = lambda *_: client.publish(RECEIVED)
    client.connect("127.0.0.1", port)
    client.loop_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
