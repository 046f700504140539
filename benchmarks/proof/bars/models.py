"""Bars of models."""

from benchmarks.proof.bar import Bar, Printed, asserted_by, at_least, at_most
from benchmarks.proof.read import cell, worst

TWO_STAGES = "benchmarks two-stages --people {people}"
PERSON, FACE = (
    tuple(f"{one} {other}" for other in ("gender-dlib", "gender-faceapi")) for one in ("ssd-person", "face-full-range")
)

BARS = (
    Bar(
        "26 photographs, beside Custom Vision's service",
        "the same top label; probabilities off by 0.12 at most, 0.03 on average",
        asserted_by("classifier/test_photographs.py::test_photographs_match_the_service"),
    ),
    Bar(
        "two stages, 13 adults in 14 photographs",
        "every face found, 12 right labels",
        asserted_by("classifier/test_people.py::test_adults_in_photographs"),
    ),
    Bar(
        "a Keras model in TensorFlow Lite and in ONNX",
        "probabilities differ by 0.0001 at most",
        asserted_by("classifier/test_onnx.py::test_a_keras_model_gives_the_same_answers_in_both_formats"),
    ),
    Bar(
        "exports of other tools, and of users' reports",
        "served without a footfall.toml, or refused in one line",
        asserted_by(
            "classifier/test_exporters.py::test_models_of_other_tools",
            "classifier/test_exporters.py::test_reported_cases",
            "classifier/test_onnx.py::test_a_classifier_of_each_exporter",
        ),
    ),
    Bar(
        "the demo's models",
        "1 MB the classifier, 2 MB the detector",
        asserted_by(
            "demo/test_model.py::test_it_is_a_custom_vision_export",
            "demo/test_model.py::test_the_detector_is_a_custom_vision_export",
        ),
    ),
    Bar(
        "people counted on a new machine, without a model",
        "the detector is fetched once and checked",
        asserted_by("end_to_end/test_person.py", "classifier/test_person.py"),
    ),
    Bar(
        "two stages beside the bare models, person detector",
        at_most(1.1),
        Printed(TWO_STAGES, worst(PERSON, 3)),
    ),
    Bar(
        "two stages beside the bare models, face detector",
        at_most(1.1),
        Printed(TWO_STAGES, worst(FACE, 3)),
    ),
    Bar(
        "memory of a classifier with the person detector",
        at_most(140, "MB"),
        Printed(TWO_STAGES, cell("resident MB with ssd-person", 0)),
    ),
    Bar(
        "`footfall count` beside a bare loop, frames a second",
        at_least(0.9),
        Printed("benchmarks --rounds 5 count", cell("median", 0)),
    ),
    Bar(
        "models replaced while frames flow, and killed meanwhile",
        "no prediction mixes two models; memory grows by 20 MB at most",
        asserted_by(
            "classifier/test_process.py::test_models_are_switched_while_frames_flow",
            "classifier/test_process.py::test_kills_at_random_moments_of_an_update",
        ),
    ),
    Bar(
        "a camera floods the classifier with 528 frames a second",
        "another keeps nine of ten predictions",
        asserted_by("classifier/test_pipeline.py::test_a_camera_that_floods_takes_no_share_of_others"),
    ),
)
