"""Bars of faults and attacks."""

from collections.abc import Callable, Sequence

from benchmarks.proof.bar import Bar, Limit, Quoted, Read, asserted_by, at_most
from benchmarks.proof.read import every

PAGE = "docs/reliability.md"


def _fault(name: str, limit: Limit, read: Read) -> Bar:
    return Bar(f"faults on purpose: {name}", limit, Quoted(PAGE, "faults", read, "make faults"))


def _fuzz(name: str, limit: Limit, pattern: str, combine: Callable[[Sequence[float]], float] = max) -> Bar:
    evidence = Quoted(PAGE, "fuzz", every(pattern, combine), "python -m tests.fuzz")
    return Bar(f"a million damaged inputs for each parser: {name}", limit, evidence)


def _soak_problems(text: str) -> float:
    if "hours of cameras" not in text:
        raise ValueError("no soak was written")
    return text.count("**missed**") + text.count("**Not everything")


BARS = (
    Bar(
        "100 kills at random during 500 visits, and during 500 crossings",
        "each once in the ledger and upstream, in order",
        asserted_by("end_to_end/test_kills.py"),
    ),
    _fault("results again after a fault of a program", at_most(3, "s"), every(r"within 3 s.*?\| ([\d.]+) s \|")),
    _fault("results again after a fault of a broker", at_most(2, "s"), every(r"within 2 s.*?\| ([\d.]+) s \|")),
    _fault("faults with something missed", at_most(0), lambda text: text.count("**missed**")),
    _fault("visits and crossings lost", at_most(0), every(r"\| (\d+) of \d+ \|", sum)),
    _fault("visits and crossings counted twice", at_most(0), every(r" of \d+ \| (\d+) \|", sum)),
    Bar(
        "24 hours of frames with kills: programs and totals that are not as they must be",
        at_most(0),
        Quoted(PAGE, "soak", _soak_problems, "make soak"),
    ),
    Bar(
        "a minute of damaged inputs, always the same",
        "2 s and 110 MB for 4 MiB, 5 ms for a message, no uncaught error",
        asserted_by("fuzz/test_fuzz.py::test_no_input_does_harm", is_timed=True),
    ),
    _fuzz("uncaught errors", at_most(0), r"\| ([\d,]+) \| \d+ ms \| \d+ ms \| \d+ MB \|$", sum),
    _fuzz("CPU time of an input", at_most(2000, "ms"), r"\| (\d+) ms \| \d+ ms \| \d+ MB \|$"),
    _fuzz("memory of an input", at_most(110, "MB"), r"\| (\d+) MB \|$"),
    Bar(
        "pictures and models that cost most",
        "2 s and 110 MB at most",
        asserted_by("bus/test_images.py::test_what_a_picture_costs", "classifier/test_hostile_exports.py", is_timed=True),
    ),
    Bar("hostile messages of 64 KiB", "6 MB at most", asserted_by("bus/test_decoding.py::test_hostile_msgpack")),
    Bar(
        "the counter killed, and an hour of predictions waits",
        "240 visits, each once",
        asserted_by("counter/test_process.py::test_a_kill_and_an_hour_of_downtime_lose_and_split_no_visit"),
    ),
    Bar(
        "the broker killed, without its retained messages",
        "predictions within 35 s, no program restarted",
        asserted_by("end_to_end/test_site.py::test_a_killed_broker_is_survived", is_timed=True),
    ),
    Bar(
        "edgeHub late, frozen, silent or refusing",
        "all results, in order",
        asserted_by("bridge/edgehub/test_client.py::test_a_failing_edgehub_receives_all_results_in_order"),
    ),
    Bar(
        "a damaged ledger; a full or read-only disk",
        "all rows of undamaged pages; nothing lost",
        asserted_by("counter/test_damage.py"),
    ),
    Bar(
        "1,000 refused tries, then 100 guests that never read",
        "every prediction arrives; 64 MiB for each broker at most",
        asserted_by("mosquitto/test_safety.py::test_guests_that_never_read_cost_a_bounded_memory"),
    ),
    Bar("every user, topic and kind of access", "exactly as the table says", asserted_by("mosquitto/test_access.py")),
    Bar(
        "slow connections by the hundred",
        "requests are answered, of the same address too",
        asserted_by("runtime/test_server.py::test_slow_clients_shut_nobody_out"),
    ),
    Bar(
        "two counters of one name",
        "both say so within 10 s",
        asserted_by("bus/test_connection.py::test_a_second_program_of_one_name_is_found", is_timed=True),
    ),
)
