"""Program that trains the demo's model on drawn scenes, and writes it like a Custom Vision export: ``python -m demo.train``."""

import hashlib
import json
import logging
import os
import sys
import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow reads it at import

import keras
import tensorflow as tf
from keras import layers

from classifier.files import DESCRIPTION_FILE
from demo.about import MODEL
from demo.samples import ALL_LABELS, INPUT_SIZE, NETWORK_SIZE, SEEDS, Samples, draw_samples

log = logging.getLogger(__name__)

EPOCHS = 13
BATCH_SIZE = 64
LEARNING_RATE = 3e-3
"""Initial learning rate; it decays to 0 along a cosine."""
DESCRIPTION = """\
# The model knows drawn figures only. Its visits are marked as the demo's, and never added to those of real visitors.
demo = true
"""
NAMESPACE = uuid.UUID("0f6f6bd4-8a35-4c8d-8d8c-3a0f3f1f3c11")


def main() -> int:
    """Draws the samples, trains the network, writes the export. Returns exit code 0."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    began = time.monotonic()
    keras.utils.set_random_seed(1)
    log.info("Drawing %d scenes", len(SEEDS))
    samples = draw_samples(SEEDS)
    log.info("%d samples after %.0f s", len(samples.pictures), time.monotonic() - began)
    network = build_network()
    train(network, samples)
    model = to_tflite(network)
    write_export(MODEL, model, ALL_LABELS, "Classification", DESCRIPTION)
    log.info("%s: %d bytes, after %.0f s", MODEL, len(model), time.monotonic() - began)
    return 0


def build_network() -> keras.Model:
    """Returns the network: its input has half the size of the model's; its output is a probability for each label."""
    pictures = layers.Input((NETWORK_SIZE, NETWORK_SIZE, 3))
    features = layers.Rescaling(1 / 127.5, -1)(pictures)
    for filters, size, stride in ((16, 5, 2), (32, 3, 2), (32, 3, 1), (64, 3, 2), (64, 3, 1), (96, 3, 2), (96, 3, 1)):
        features = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(features)
        features = layers.ReLU()(layers.BatchNormalization()(features))
    features = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(features))
    return keras.Model(pictures, layers.Dense(len(ALL_LABELS), activation="softmax")(features))


def train(network: keras.Model, samples: Samples) -> None:
    """Fits the network to the samples, with random mirroring, brightness and colour in each epoch."""
    data = tf.data.Dataset.from_tensor_slices(tuple(samples)).shuffle(len(samples.pictures), seed=1)
    data = data.map(_augment, num_parallel_calls=2, deterministic=True).batch(BATCH_SIZE).prefetch(4)
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, EPOCHS * (len(samples.pictures) // BATCH_SIZE))
    network.compile(keras.optimizers.AdamW(rate, weight_decay=1e-4), "categorical_crossentropy", metrics=["accuracy"])
    network.fit(data, epochs=EPOCHS, verbose=2)


def _augment(picture: tf.Tensor, probabilities: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    picture = tf.image.random_flip_left_right(tf.cast(picture, tf.float32))
    factors = tf.random.uniform((1, 1, 3), 0.9, 1.1) * tf.random.uniform((), 0.85, 1.15)
    return tf.clip_by_value(picture * factors + tf.random.uniform((), -6, 6), 0, 255), probabilities


def to_tflite(network: keras.Model) -> bytes:
    """Returns the TFLite model; its input is 1 x 224 x 224 x 3 float32 in BGR, 0 to 255."""
    whole = layers.Input((INPUT_SIZE, INPUT_SIZE, 3), batch_size=1)
    model = keras.Model(whole, network(layers.AveragePooling2D(INPUT_SIZE // NETWORK_SIZE)(whole)))
    return bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


def write_export(folder: Path, model: bytes, labels: Sequence[str], domain: str, description: str) -> None:
    """Writes the three files of a Custom Vision export, and a `footfall.toml`."""
    folder.mkdir(exist_ok=True)
    digest = hashlib.sha1(model, usedforsecurity=False).hexdigest()
    manifest = {
        "DomainType": domain,
        "Platform": "TensorFlow",
        "Flavor": "TensorFlowLite",
        "ExporterVersion": "2.0",
        "ExportedDate": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "IterationId": str(uuid.uuid5(NAMESPACE, digest)),
        "ModelFileName": "model.tflite",
        "LabelFileName": "labels.txt",
        "ModelFileSHA1": digest,
        "SchemaVersion": "1.0",
    }
    (folder / "model.tflite").write_bytes(model)
    (folder / "labels.txt").write_text("\n".join(labels) + "\n")
    (folder / "cvexport.manifest").write_text(json.dumps(manifest, indent=1) + "\n")
    (folder / DESCRIPTION_FILE).write_text(description)


if __name__ == "__main__":
    sys.exit(main())
