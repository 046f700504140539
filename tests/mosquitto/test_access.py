"""The access list as clients meet it: what each user sends on each topic, and what of it is delivered.

The broker acknowledges what it denies, so only delivery counts.
"""

from contextlib import ExitStack

import pytest
from paho.mqtt import client as mqtt

from tests.mosquitto.access_table import GUEST, TOPICS, USERS, VERSION, read_by, written_by
from tests.support.guarded_broker import OBSERVER, GuardedBroker
from tests.support.listener import Listener
from tests.support.wait import until

pytestmark = pytest.mark.broker

EVERYBODY = (GUEST, *USERS)
EVERYTHING = ("#", "$SYS/#", "$footfall/#")
WILD = ("footfall/#", "+/+/frame", "+/+/+/+")


def as_user(broker: GuardedBroker, user: str, *filters: str) -> Listener:
    return broker.listener(None if user == GUEST else user, *filters)


def received_topics(listener: Listener, payload: str) -> set[str]:
    return {message.topic for message in listener.messages() if bytes(message.payload) == payload.encode()}


def publish_everywhere(listener: Listener, payload: str, retain: bool = False) -> None:
    """Publishes on each topic of the table, and waits until the broker has processed it."""
    for topic in TOPICS:
        listener.client.publish(topic, payload, 0, retain)  # guests are disconnected for more than QoS 0
    listener.settle()


@pytest.mark.parametrize("retain", [False, True], ids=["live", "retained"])
@pytest.mark.parametrize("user", EVERYBODY)
def test_a_user_writes_its_own_topics_only(guarded: GuardedBroker, user: str, retain: bool) -> None:
    payload = f"by {user}, retain={retain}"
    with as_user(guarded, user) as writer, guarded.listener(OBSERVER, *EVERYTHING) as observer:
        publish_everywhere(writer, payload, retain)
        observer.settle()
        assert received_topics(observer, payload) == written_by(user)
    if retain:
        with guarded.listener(OBSERVER, *EVERYTHING) as later:
            later.settle()
            assert received_topics(later, payload) == written_by(user)
            for topic in written_by(user):
                later.publish(topic, b"", retain=True)


@pytest.mark.parametrize("user", EVERYBODY)
def test_a_user_reads_its_own_topics_only(guarded: GuardedBroker, user: str) -> None:
    """By exact topics, wildcards and shared subscriptions."""
    payload = f"for {user}"
    subscriptions = {
        "exact": TOPICS,
        "all": EVERYTHING,
        "wild": WILD,
        "shared": [f"$share/of-{user}/{topic}" for topic in TOPICS],
        "shared and wild": [f"$share/of-{user}-too/{one}" for one in ("#", "footfall/#")],
    }
    with ExitStack() as stack:
        listeners = {how: stack.enter_context(as_user(guarded, user, *filters)) for how, filters in subscriptions.items()}
        publish_everywhere(stack.enter_context(guarded.listener(OBSERVER)), payload)
        for listener in listeners.values():
            listener.settle()
        received = {how: received_topics(listener, payload) for how, listener in listeners.items()}
    wild = {topic for topic in read_by(user) if topic.startswith("footfall/") or topic.count("/") == 3}
    assert received == {how: wild if how == "wild" else read_by(user) for how in subscriptions}


def test_retained_messages_reach_only_users_who_may_read_them(guarded: GuardedBroker) -> None:
    with guarded.listener(OBSERVER) as observer:
        publish_everywhere(observer, "kept", retain=True)
        try:
            for user in EVERYBODY:
                for filters in (TOPICS, EVERYTHING):
                    with as_user(guarded, user, *filters) as listener:
                        listener.settle()
                        assert received_topics(listener, "kept") == read_by(user), user
        finally:
            publish_everywhere(observer, "", retain=True)


@pytest.mark.parametrize("user", EVERYBODY)
def test_only_the_operator_reads_the_brokers_own_topics(guarded: GuardedBroker, user: str) -> None:
    with as_user(guarded, user, "$SYS/#", VERSION, f"$share/of-{user}/$SYS/#") as listener:
        listener.settle()
        assert (
            (VERSION in {message.topic for message in listener.messages()}) == bool(listener.messages()) == (user == "operator")
        )


@pytest.mark.parametrize("user", EVERYBODY)
def test_a_last_will_obeys_the_access_list(guarded: GuardedBroker, user: str) -> None:
    own = {f"footfall/status/{user}"} & written_by(user)
    with guarded.listener(OBSERVER, "#") as observer:
        for topic in ("footfall/door/answer", "footfall/query/door/frame", f"footfall/status/{user}"):
            break_connection(guarded, user, topic, f"will of {user}")
        with as_user(guarded, user):
            observer.settle()
        assert received_topics(observer, f"will of {user}") == own


def break_connection(broker: GuardedBroker, user: str, topic: str, will: str) -> None:
    """Connects with a last will and closes the socket without a DISCONNECT."""
    client = broker.client(None if user == GUEST else user)
    client.will_set(topic, will)
    client.connect("127.0.0.1", broker.guests if user == GUEST else broker.port)
    until(lambda: client.loop(0.1) == mqtt.MQTT_ERR_SUCCESS and client.is_connected())
    sock = client.socket()
    assert sock
    sock.close()
