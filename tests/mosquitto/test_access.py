"""The access list, tested with clients: each user publishes and subscribes on each topic, and the test checks deliveries.

The table is written by hand, not derived from a file. The broker acknowledges denied publishes, so only deliveries count.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from operator import attrgetter
from typing import NamedTuple

import pytest
from paho.mqtt import client as mqtt

from tests.support.guarded_broker import OBSERVER, GuardedBroker
from tests.support.listener import Listener
from tests.support.wait import until

pytestmark = pytest.mark.broker

GUEST = "guest"
MODULES = ("capture", "classifier", "counter", "bridge", "dashboard", "display")
ROLES = (*MODULES, "operator", "reader", "homeassistant")
USERS = (*ROLES, "capture-back", "classifier-2", "display-hall")
"""The users of a broker with the cameras door and back and the displays matrix and hall. A user `role-...` has that role."""
CLIENTS = (GUEST, *USERS)
UNKNOWN = "other"
"""The name of a camera, display, module and asker that is unknown to the broker."""


class Row(NamedTuple):
    """A kind of topic, and the roles that may write and read it.

    A role applies to the topics of `names`; with ``*`` to those of any name, with ``=`` to the topic with the user's name, with
    ``@`` to that of the user's own camera or display.
    """

    topic: str
    names: tuple[str, ...]
    writers: str
    readers: str


CAMERAS = ("door", "back")
OWN = {"capture": "door", "capture-back": "back", "display": "matrix", "display-hall": "hall"}
"""The camera or display of each user that has one."""
OWN_STATUS = " ".join(f"{module}=" for module in MODULES)
OWN_QUERY = "bridge= dashboard= operator= reader="
TABLE = (
    Row("footfall/{}/frame", CAMERAS, "capture@", "classifier* dashboard*"),
    Row(
        "footfall/{}/prediction", CAMERAS, "classifier", "guest* counter* bridge* dashboard* display* operator* reader* capture@"
    ),
    Row("footfall/{}/visit", CAMERAS, "counter", "guest* bridge* dashboard* operator* reader* homeassistant*"),
    Row("footfall/{}/crossing", CAMERAS, "counter", "guest* bridge* operator* reader* homeassistant*"),
    Row("footfall/{}/summary", CAMERAS, "counter", "guest* bridge* operator* reader* homeassistant*"),
    Row("footfall/{}/label", CAMERAS, "counter operator*", "guest* counter* bridge* dashboard* operator* reader* homeassistant*"),
    Row("footfall/{}/counts", CAMERAS, "counter operator*", "guest* bridge* dashboard* operator* reader* homeassistant*"),
    Row(
        "footfall/{}/occupancy",
        CAMERAS,
        "counter operator*",
        "guest* bridge* dashboard* display* operator* reader* homeassistant*",
    ),
    Row("footfall/{}/alert", CAMERAS, "counter", "guest* bridge* operator* reader* homeassistant*"),
    Row("footfall/{}/alerts", CAMERAS, "counter operator*", "guest* bridge* dashboard* operator* reader* homeassistant*"),
    Row("footfall/{}/tracks", CAMERAS, "counter", "guest* dashboard* operator* reader*"),
    Row(
        "footfall/{}/setup",
        CAMERAS,
        "bridge dashboard operator",
        "guest* capture@ classifier* counter* bridge* dashboard operator reader*",
    ),
    Row("footfall/{}/command", CAMERAS, "bridge counter operator homeassistant", "capture@ counter operator"),
    Row("footfall/{}", ("site",), "dashboard operator", "guest dashboard operator reader"),
    Row("footfall/{}/model", ("classifier",), "bridge operator", "classifier operator"),
    Row("footfall/display/{}/pixels", ("matrix", "hall"), "display@", "guest* dashboard* operator* reader*"),
    Row(
        "footfall/status/{}",
        USERS,
        f"operator* {OWN_STATUS}",
        "guest* capture* classifier* counter* bridge* dashboard* display* operator* reader* homeassistant*",
    ),
    Row("footfall/query/{}/question", USERS, OWN_QUERY, "counter*"),
    Row("footfall/query/{}/answer", ("bridge", "dashboard", "operator", "reader"), "counter", OWN_QUERY),
    Row("homeassistant/device/footfall/{}/config", CAMERAS, "bridge* homeassistant*", "bridge* homeassistant*"),
    Row("homeassistant/{}", ("status",), "homeassistant", "bridge homeassistant"),
)
OTHER_TOPICS = """
footfall footfall/site/more footfall/door/frame/more footfall/door/other footfall/status footfall/status/capture/more
footfall/display/matrix footfall/query/reader
homeassistant/device/other/door/config homeassistant/sensor/door/config
other other/door/frame /footfall/door/frame door/frame
$footfall/door/frame $SYS/broker/version $SYS/other
"""
ALL_FILTERS = ("#", "$SYS/#", "$footfall/#")


def all_of(row: Row) -> set[str]:
    """Returns the topics of a row for each of its names, for an unknown name and, if its names are users, for every user."""
    others = USERS if row.names[0] in USERS else ()
    return {row.topic.format(name) for name in (*row.names, *others, UNKNOWN)}


TOPICS = sorted({topic for row in TABLE for topic in all_of(row)} | set(OTHER_TOPICS.split()))


def allowed(user: str, rights: Callable[[Row], str]) -> set[str]:
    """Returns the topics that the user may write or read, except $SYS."""
    role = user.partition("-")[0]
    topics = set()
    for row in TABLE:
        for right in rights(row).split():
            names = {role: row.names, f"{role}=": (user,), f"{role}@": (OWN.get(user, ""),)}.get(right, ())
            topics |= all_of(row) if right == f"{role}*" else {row.topic.format(name) for name in names}
    return topics


written_by = partial(allowed, rights=attrgetter("writers"))
read_by = partial(allowed, rights=attrgetter("readers"))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    """A broker with two cameras, two displays, and an observer that may do everything."""
    with GuardedBroker(tmp_path_factory.mktemp("guarded"), observed=True, CAMERAS="door,back", DISPLAYS="matrix,hall") as broker:
        yield broker


def as_user(broker: GuardedBroker, user: str, *filters: str) -> Listener:
    return broker.listener(None if user == GUEST else user, *filters)


def received_topics(listener: Listener, payload: str) -> set[str]:
    return {message.topic for message in listener.messages() if bytes(message.payload) == payload.encode()}


def retain_everywhere(listener: Listener, payload: str) -> None:
    """Publishes a retained message on each topic of the table, and waits until the broker has processed them."""
    for topic in TOPICS:
        listener.client.publish(topic, payload, 0, retain=True)  # the broker disconnects guests that use a higher QoS
    listener.settle()


def break_connection(broker: GuardedBroker, user: str, topic: str, will: str) -> None:
    """Connects with a last will, and closes the socket without a DISCONNECT."""
    client = broker.client(None if user == GUEST else user)
    client.will_set(topic, will)
    client.connect("127.0.0.1", broker.guests if user == GUEST else broker.port)
    until(lambda: client.loop(0.1) == mqtt.MQTT_ERR_SUCCESS and client.is_connected())
    sock = client.socket()
    assert sock
    sock.close()


@pytest.mark.parametrize("user", CLIENTS)
def test_a_user_publishes_only_where_it_may(guarded: GuardedBroker, user: str) -> None:
    """This applies to live and retained messages. A last will is delivered on the user's status topic only."""
    payload, will, status = f"by {user}", f"will of {user}", f"footfall/status/{user}"
    with (
        as_user(guarded, user) as writer,
        guarded.listener(OBSERVER, *ALL_FILTERS) as observer,
        as_user(guarded, GUEST, *ALL_FILTERS) as guest,
    ):
        retain_everywhere(writer, payload)
        for topic in ("footfall/door/answer", "footfall/query/door/frame", status):
            break_connection(guarded, user, topic, will)
        with as_user(guarded, user):
            observer.settle()
        assert received_topics(observer, payload) == written_by(user)
        guest.settle()
        assert received_topics(guest, payload) == written_by(user) & read_by(GUEST)
        assert received_topics(observer, will) == {status} & written_by(user)
    with guarded.listener(OBSERVER, *ALL_FILTERS) as later:
        later.settle()
        for topic in written_by(user):
            later.publish(topic, b"", retain=True)
        assert received_topics(later, payload) == written_by(user)


@pytest.mark.parametrize("user", CLIENTS)
def test_a_user_receives_only_what_it_may_read(guarded: GuardedBroker, user: str) -> None:
    """This applies to exact topics, wildcards and shared subscriptions, live and retained. Only the operator receives $SYS."""
    subscriptions = {
        "exact": TOPICS,
        "all": ALL_FILTERS,
        "wild": ("footfall/#", "+/+/frame", "+/+/+/+"),
        "shared": [f"$share/of-{user}/{topic}" for topic in (*TOPICS, "$SYS/#")],
        "shared and wild": [f"$share/of-{user}-too/{one}" for one in ("#", "footfall/#")],
    }
    retained = ("exact", "all")
    with ExitStack() as stack:
        listeners = {how: stack.enter_context(as_user(guarded, user, *filters)) for how, filters in subscriptions.items()}
        observer = stack.enter_context(guarded.listener(OBSERVER))
        retain_everywhere(observer, f"for {user}")
        listeners |= {f"{how}, later": stack.enter_context(as_user(guarded, user, *subscriptions[how])) for how in retained}
        for listener in listeners.values():
            listener.settle()
        retain_everywhere(observer, "")
        received = {how: received_topics(listener, f"for {user}") for how, listener in listeners.items()}
        brokers_own = {how for how, one in listeners.items() if any("$SYS" in message.topic for message in one.messages())}
    wild = {topic for topic in read_by(user) if topic.startswith("footfall/") or topic.count("/") == 3}
    assert received == {how: wild if how == "wild" else read_by(user) for how in listeners}
    assert brokers_own >= {*retained, "exact, later", "all, later"} if user == "operator" else not brokers_own
