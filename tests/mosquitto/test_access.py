"""The access list, as clients meet it: what each user does on each topic, and what of it is delivered.

The broker acknowledges what it refuses, so that only a message which arrives, or does not, says something.
"""

from contextlib import ExitStack

import pytest
from paho.mqtt import client as mqtt

from tests.mosquitto.access_table import GUEST, TOPICS, USERS, VERSION, read_by, role_of, written_by
from tests.support.guarded_broker import OBSERVER, GuardedBroker
from tests.support.listener import Listener
from tests.support.wait import until

EVERYBODY = (GUEST, *USERS)
EVERYTHING = ("#", "$SYS/#", "$footfall/#")
WILD = ("footfall/#", "+/+/frame", "+/+/+/+")


def as_user(broker: GuardedBroker, user: str, *filters: str) -> Listener:
    """The user's; a guest has none."""
    return broker.listener(None if user == GUEST else user, *filters)


def heard(listener: Listener, payload: str) -> set[str]:
    """The topics on which this came."""
    return {message.topic for message in listener.messages() if bytes(message.payload) == payload.encode()}


def publish_everywhere(listener: Listener, payload: str, retain: bool = False) -> None:
    """One message on each topic of the table, and the broker has them all."""
    for topic in TOPICS:
        listener.client.publish(topic, payload, 0, retain)  # more than that a guest must not
    listener.settle()


@pytest.mark.parametrize("retain", [False, True], ids=["live", "retained"])
@pytest.mark.parametrize("user", EVERYBODY)
def test_a_user_writes_its_own_topics_and_no_others(guarded: GuardedBroker, user: str, retain: bool) -> None:
    """Of a message on every topic, those arrive that the table allows; of retained ones, no others are kept."""
    payload = f"by {user}, retain={retain}"
    with as_user(guarded, user) as writer, guarded.listener(OBSERVER, *EVERYTHING) as observer:
        publish_everywhere(writer, payload, retain)
        observer.settle()
        assert heard(observer, payload) == written_by(user)
    if retain:
        with guarded.listener(OBSERVER, *EVERYTHING) as later:
            later.settle()
            assert heard(later, payload) == written_by(user)
            for topic in written_by(user):
                later.publish(topic, b"", retain=True)


@pytest.mark.parametrize("user", EVERYBODY)
def test_a_user_reads_what_it_may_and_no_more(guarded: GuardedBroker, user: str) -> None:
    """However it asks, by exact topics, wildcards or a share, what is published now reaches it where the table allows it."""
    payload = f"for {user}"
    with ExitStack() as stack:
        asked = {
            "exact": TOPICS,
            "all": EVERYTHING,
            "wild": WILD,
            "shared": [f"$share/of-{user}/{topic}" for topic in TOPICS],
            "shared and wild": [f"$share/of-{user}-too/{one}" for one in ("#", "footfall/#")],
        }
        listeners = {how: stack.enter_context(as_user(guarded, user, *filters)) for how, filters in asked.items()}
        observer = stack.enter_context(guarded.listener(OBSERVER))
        publish_everywhere(observer, payload)
        for listener in listeners.values():
            listener.settle()
        received = {how: heard(listener, payload) for how, listener in listeners.items()}
        wild = {topic for topic in read_by(user) if topic.startswith("footfall/") or topic.count("/") == 3}
        assert received == {how: wild if how == "wild" else read_by(user) for how in asked}


def test_what_is_kept_reaches_those_who_may_read_it(guarded: GuardedBroker) -> None:
    """A retained message on every topic: each user gets those that the table allows when it subscribes, by any filter."""
    with guarded.listener(OBSERVER) as observer:
        publish_everywhere(observer, "kept", retain=True)
        try:
            for user in EVERYBODY:
                for filters in (TOPICS, EVERYTHING):
                    with as_user(guarded, user, *filters) as listener:
                        listener.settle()
                        assert heard(listener, "kept") == read_by(user), user
        finally:
            publish_everywhere(observer, "", retain=True)


@pytest.mark.parametrize("user", EVERYBODY)
def test_the_brokers_own_topics_are_the_operators_alone(guarded: GuardedBroker, user: str) -> None:
    """Its version is retained: who may read it has it at once."""
    with as_user(guarded, user, "$SYS/#", VERSION, f"$share/of-{user}/$SYS/#") as listener:
        listener.settle()
        topics = {message.topic for message in listener.messages()}
        assert (VERSION in topics) == (role_of(user) == "operator")
        assert role_of(user) == "operator" or not topics


@pytest.mark.parametrize("user", EVERYBODY)
def test_a_last_will_is_held_to_the_same_rules(guarded: GuardedBroker, user: str) -> None:
    """What the broker says in a client's name when that is gone, it says where the client could have."""
    own = {f"footfall/status/{user}"} & written_by(user)
    with guarded.listener(OBSERVER, "#") as observer:
        for topic in ("footfall/door/answer", "footfall/query/door/frame", f"footfall/status/{user}"):
            dies_with(guarded, user, topic, f"will of {user}")
        with as_user(guarded, user):
            observer.settle()
        assert heard(observer, f"will of {user}") == own


def dies_with(broker: GuardedBroker, user: str, topic: str, will: str) -> None:
    """A client of the user that is gone without a goodbye; the broker knows when the next one is served."""
    client = broker.client(None if user == GUEST else user)
    client.will_set(topic, will)
    client.connect("127.0.0.1", broker.guests if user == GUEST else broker.port)
    until(lambda: client.loop(0.1) == mqtt.MQTT_ERR_SUCCESS and client.is_connected())
    sock = client.socket()
    assert sock
    sock.close()
