"""Bars of documentation, containers and services."""

from benchmarks.proof.bar import Bar, Elsewhere, asserted_by

BARS = (
    Bar("README", "fewer than 200 lines", asserted_by("test_docs.py::test_the_readme_is_short")),
    Bar("sentences of README and docs", "18 words on average at most", asserted_by("test_docs.py::test_sentences_are_short")),
    Bar(
        "containers: healthy, confined; counts survive `down` and `up`",
        "all",
        asserted_by(
            "containers/test_compose.py::test_every_container_is_healthy_and_confined",
            "containers/test_compose.py::test_counts_survive_down_and_up",
        ),
    ),
    Bar(
        "memory limits of all containers",
        "three quarters of a Raspberry Pi 3's 1 GB",
        asserted_by("containers/test_images.py::test_compose_and_iot_edge_allow_the_same_memory"),
    ),
    Bar(
        "services of a machine that boots",
        "start again after a crash, a hang and a reboot",
        asserted_by("ecosystem/test_services.py"),
    ),
    Bar(
        "units of `footfall install`; backup and restore",
        "accepted by systemd; a running suite on another machine",
        asserted_by(
            "footfall/test_install.py::test_systemd_accepts_the_units_and_finds_them_safe",
            "footfall/test_backup.py::test_a_running_suite_is_restored_on_another_machine",
        ),
    ),
    Bar(
        "packages",
        "pinned by hash; licences known; SBOMs valid",
        asserted_by("test_packages.py::test_every_package_of_an_image_has_hashes", "test_dependencies.py"),
    ),
    Bar("README's two commands on a bare Debian 12", "pass", Elsewhere("scripts/bare.sh")),
    Bar(
        "images for 32-bit and 64-bit ARM, under QEMU",
        "a frame goes from capture to display",
        Elsewhere("scripts/platform.sh arm32v7"),
    ),
)
