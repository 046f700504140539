"""Bars of what works with other programs."""

from benchmarks.proof.bar import Bar, Printed, asserted_by, at_most
from benchmarks.proof.read import worst

METRICS = "benchmarks --seconds 30 metrics"
MODULES = ("capture", "classifier", "counter", "bridge", "dashboard", "display")

BARS = (
    Bar(
        "Home Assistant shows the suite, and its buttons pause the camera",
        "every entity has a value",
        asserted_by("ecosystem/test_home_assistant.py::test_home_assistant_shows_the_suite"),
    ),
    Bar(
        "Prometheus and Grafana",
        "every query has data; every alert fires in its case",
        asserted_by("prometheus/test_suite.py::test_every_panel_has_data", "prometheus/test_alerts.py"),
    ),
    Bar("Node-RED shows what the counter publishes", "equal values", asserted_by("ecosystem/test_node_red.py")),
    Bar("a model from Azure storage over a line that is cut", "the download continues", asserted_by("ecosystem/test_azurite.py")),
    Bar(
        "iotedgedev expands the deployment templates", "as ours, on three platforms", asserted_by("ecosystem/test_iotedgedev.py")
    ),
    Bar("the Sense HAT emulator shows the icons", "equal pixels", asserted_by("ecosystem/test_sense_hat.py")),
    Bar(
        "every message of a run, and the AsyncAPI document",
        "valid by its schema",
        asserted_by("end_to_end/test_schema.py", "footfall/test_schema.py::test_the_document_is_valid"),
    ),
    Bar(
        "results to a central broker while the line is cut, and to a webhook that fails",
        "none lost, each id once, in order",
        asserted_by("end_to_end/test_central.py", "bridge/test_webhook.py::test_none_is_lost_and_each_key_is_processed_once"),
    ),
    Bar("CPU that metrics add to a module", at_most(2, "%"), Printed(METRICS, worst(MODULES, 1, minus=0))),
    Bar("memory that metrics add to a module", at_most(6, "MB"), Printed(METRICS, worst(MODULES, 3, minus=2))),
    Bar("time of a scrape, 95 %", at_most(20, "ms"), Printed(METRICS, worst(MODULES, 5))),
)
