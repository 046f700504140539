"""The systemd services of an installation, as unit files: the broker, a service for each module, and a target for all.

Each service has a user of its own, so that it can read its own password only. The sandbox follows systemd.exec(5).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from footfall.own_settings import foreign_settings
from footfall.state import INSTALLED

SETTINGS = Path("/etc/footfall/footfall.env")
TARGET = "footfall.target"
GUESTS_PORT, USERS_PORT = 1883, 1884
"""Ports for guests, who can only read, and for the modules, unless the settings say otherwise."""
WATCHDOG = 60
"""Seconds without a sign of life after which systemd restarts a module. The heartbeat sends one every five seconds."""
RESTART_DELAY = 0.5
"""Seconds until systemd starts a program again that has ended: with its start, results are back within three."""
START_TIMEOUT = 600
"""Seconds for a start: the classifier may have to fetch a model."""
BROKER_MEMORY = 128 * 1024 * 1024
"""The broker's own limit in bytes, below that of its service, as in its image."""


class Service(NamedTuple):
    """A module's service: its memory limit, as in docker-compose.yml, and what it may use beyond the network.

    `devices` are classes of devices, with the access to them. `groups` own these devices. `has_state`: it keeps data.
    """

    about: str
    memory: str
    has_state: bool = False
    devices: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


CAMERAS = ("char-video4linux rw", "char-media rw", "char-dma_heap rw")
SENSE_HAT = ("char-fb rw", "char-i2c rw", "char-input r")
BROKER = Service("broker", "176M", has_state=True)
SERVICES = {
    "capture": Service("camera", "144M", devices=CAMERAS, groups=("video",)),
    "classifier": Service("model", "224M", has_state=True),
    "counter": Service("visits and counts", "64M", has_state=True),
    "bridge": Service("results for other systems", "80M", has_state=True),
    "dashboard": Service("page", "80M"),
    "display": Service("Sense HAT", "80M", devices=SENSE_HAT, groups=("video", "i2c", "input")),
}
"""The modules' services by module."""
OPTIONAL = ("display",)
"""Modules that run only if a setting asks for them."""
SANDBOX = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077"""
"""The restrictions of all services. AF_NETLINK: libraries list network interfaces and cameras with it."""


def user_name(service: str) -> str:
    """Returns the user and group of a service."""
    return f"footfall-{service}"


def unit_files(python: Path, code: Path, modules: Iterable[str]) -> dict[str, str]:
    """Returns the text of each unit, by file name.

    `python` is the interpreter, `code` the folder with the package `mosquitto`. The target starts the broker and `modules`.
    """
    running = tuple(modules)
    units = {TARGET: _target(running), "footfall-broker.service": _broker(code)}
    for module in SERVICES:
        units[f"{user_name(module)}.service"] = _module(module, python)
    units["footfall-capture@.service"] = _module("capture", python, instance="%i")
    return units


def _target(modules: tuple[str, ...]) -> str:
    wanted = " ".join(f"{user_name(one)}.service" for one in ("broker", *modules))
    return f"""\
[Unit]
Description=Footfall: counts visitors
Wants={wanted}

[Install]
WantedBy=multi-user.target
"""


def _broker(code: Path) -> str:
    folder = INSTALLED / "broker"
    environment = {
        "SECRETS": folder / "secrets",
        "RUN": folder / "run",
        "ADDRESS": "127.0.0.1",
        "USERS_PORT": USERS_PORT,
        "GUESTS_PORT": GUESTS_PORT,
        "MEMORY_LIMIT": BROKER_MEMORY,
    }
    settings = f"Type=exec\nExecStart=/bin/sh {code}/mosquitto/start.sh\nWorkingDirectory={folder}\nStateDirectoryMode=0711"
    return _service("broker", BROKER, "Footfall: broker", environment, settings)


def _module(module: str, python: Path, instance: str = "") -> str:
    """Returns the unit of a module, or the template for its instances, which are cameras."""
    service = SERVICES[module]
    environment: dict[str, object] = {
        "MQTT_HOST": "127.0.0.1",
        "MQTT_PORT": USERS_PORT,
        "MQTT_PASSWORD_FILE": INSTALLED / "broker" / "secrets" / module / "password",
        "HOME": "/tmp",
    }
    if service.has_state:
        folder = INSTALLED / module
        environment |= {"STATE_DIR": folder, "XDG_CACHE_HOME": folder}
    # Unlike Environment=, these take precedence over the settings files.
    names = f"/usr/bin/env CAMERA={instance} MODULE_NAME={module}-{instance} " if instance else ""
    settings = f"Type=notify\nWatchdogSec={WATCHDOG}\nTimeoutStartSec={START_TIMEOUT}\nExecStart={names}{python} -m {module}"
    files = (f"{module}-{instance}" if instance else module,)
    about = f"Footfall: {service.about}{f' {instance}' if instance else ''}"
    return _service(module, service, about, environment, settings, files)


def _service(
    name: str, service: Service, about: str, environment: Mapping[str, object], settings: str, files: tuple[str, ...] = ()
) -> str:
    """Returns a unit. The settings in /etc take precedence over `environment`. `files` are further files with settings there."""
    broker = "" if name == "broker" else "\nWants=footfall-broker.service\nAfter=footfall-broker.service"
    lines = [settings, "Restart=always", f"RestartSec={RESTART_DELAY}", f"User={user_name(name)}", f"MemoryMax={service.memory}"]
    lines += [f"Environment={key}={value}" for key, value in environment.items()]
    lines += [f"EnvironmentFile=-{SETTINGS.with_name(f'{one}.env')}" for one in (SETTINGS.stem, *files)]
    foreign = foreign_settings("capture" if name.startswith("capture") else name)
    lines += [f"UnsetEnvironment={' '.join(sorted(foreign))}"]  # one settings file is for all
    lines += [f"StateDirectory={INSTALLED.name}/{name}"] if service.has_state else []
    lines += [f"SupplementaryGroups={' '.join(service.groups)}"] if service.groups else []
    lines += ["DevicePolicy=closed", *(f"DeviceAllow={one}" for one in service.devices)]
    lines += [] if service.devices else ["PrivateDevices=yes"]
    install = f"\n[Install]\nWantedBy={TARGET}\n" if "%i" in about else ""
    return f"""\
[Unit]
Description={about}
PartOf={TARGET}{broker}
After=network.target
StartLimitIntervalSec=0

[Service]
{chr(10).join(lines)}
{SANDBOX}
{install}"""


def users_file() -> str:
    """Returns the users and groups, in the format of sysusers.d(5)."""
    groups = sorted({group for service in SERVICES.values() for group in service.groups})
    users = [f'u {user_name(one)} - "Footfall"' for one in ("broker", *SERVICES)]
    return "\n".join([*(f"g {group} -" for group in groups), *users]) + "\n"


def folders_file() -> str:
    """Returns the folders of the passwords, in the format of tmpfiles.d(5).

    Each password's folder belongs to its module's group, and new files inherit it, as in the broker's image.
    """
    broker = user_name("broker")
    folder = INSTALLED / "broker"
    rows = [
        f"d {INSTALLED} 0755 root root",
        f"d {folder} 0711 {broker} {broker}",
        f"d {folder}/secrets 0711 {broker} {broker}",
        *(f"d {folder}/secrets/{one} 2750 {broker} {user_name(one)}" for one in SERVICES),
        f"L+ {INSTALLED}/current-{GUESTS_PORT} - - - - broker",
    ]
    return "\n".join(rows) + "\n"
