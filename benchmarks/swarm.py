"""Several classifiers in a swarm: python -m benchmarks.swarm, where the stack footfall is deployed and healthy.

For 1, 2 and 4 of them: frames sent, predictions a second, and how many frames were predicted twice.
"""

import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.programs import wait_for
from bus import Prediction

RATE, SECONDS = 400.0, 20.0
CLASSIFIERS = (1, 2, 4)


def docker(*words: str) -> str:
    """Standard output of a command of Docker's."""
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True, timeout=120).stdout.strip()


def container(service: str) -> str:
    """The id of a service's container on this node."""
    return docker("ps", "-qf", f"name=footfall_{service}.", "-f", "health=healthy").split()[0]


def scale(classifiers: int) -> None:
    """Waits until so many are healthy."""
    docker("service", "scale", "-d", f"footfall_classifier={classifiers}")
    name = "footfall_classifier"
    wanted = f"{classifiers}/{classifiers}"
    wait_for(lambda: docker("service", "ls", "-f", f"name={name}", "--format", "{{.Replicas}}") == wanted, 600, wanted)


def taken() -> tuple[int, Sequence[int]]:
    """The number of frames that were sent, and the sequences of those that were predicted."""
    listen = ["docker", "exec", container("mosquitto"), "mosquitto_sub", "-F", "%x", "-t", "footfall/front/prediction", "-W"]
    with subprocess.Popen([*listen, str(int(SECONDS) + 10)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as listener:
        feed = ["docker", "exec", "-i", container("capture"), "python3", "-", str(RATE), str(SECONDS)]
        code = Path(__file__).with_name("feeder.py").read_text()
        sent = subprocess.run(feed, input=code, capture_output=True, text=True, check=True, timeout=120).stdout
        assert listener.stdout
        came = [Prediction.unpack(bytes.fromhex(line.decode())).sequence for line in listener.stdout]
    return int(sent), came


def main() -> None:
    """Prints a table."""
    print("| classifiers | frames sent a second | predictions a second | predicted twice |\n|---:|---:|---:|---:|")
    for classifiers in CLASSIFIERS:
        scale(classifiers)
        sent, came = taken()
        twice = sum(number - 1 for number in Counter(came).values())
        print(f"| {classifiers} | {sent / SECONDS:.0f} | {len(came) / SECONDS:.0f} | {twice} |", flush=True)


if __name__ == "__main__":
    main()
