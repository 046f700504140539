"""Program that trains the demo's detector on drawn halls, and writes it like a Custom Vision export.

``python -m demo.train_detector``
"""

import logging
import os
import sys
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow reads it at import

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from numpy.typing import NDArray

from demo.about import DETECTOR
from demo.figure import LABELS
from demo.hall_samples import INPUT_HEIGHT, INPUT_WIDTH, SEEDS, HallSamples, draw_samples
from demo.train import DESCRIPTION, write_export

log = logging.getLogger(__name__)

EPOCHS = 6
BATCH_SIZE = 16
LEARNING_RATE = 2e-3
"""Highest learning rate. It rises during the first half epoch, and decays to 0 along a cosine."""
STRIDE = 16
"""Pixels of the input to a cell of the grid."""
ROWS, COLUMNS = INPUT_HEIGHT // STRIDE, INPUT_WIDTH // STRIDE
ANCHORS = ((1.1, 3.3), (1.8, 5.6))
"""Width and height in cells of a figure far away, and of one near the camera."""
REACH = 0.75
"""Cells from a box's middle to the middle of a cell that must find it. Several must; duplicates are removed by the decoder."""
DEPTH = 5 + len(LABELS)
"""Numbers for each anchor in each cell: see `classifier.decoders.yolo.find_boxes`."""


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
    description = f"{DESCRIPTION}anchors = {[list(one) for one in ANCHORS]}\n"
    write_export(DETECTOR, model, LABELS, "ObjectDetection", description)
    log.info("%s: %d bytes, after %.0f s", DETECTOR, len(model), time.monotonic() - began)
    return 0


def build_network() -> keras.Model:
    """Returns the network: its input is a picture in BGR, 0 to 255; its output a grid for `find_boxes`."""
    pictures = layers.Input((INPUT_HEIGHT, INPUT_WIDTH, 3))
    features = layers.Rescaling(1 / 127.5, -1)(pictures)
    for filters, repeats in ((16, 0), (32, 1), (64, 1), (104, 3)):
        features = _convolution(features, filters, 2)
        for _ in range(repeats):
            features = layers.Add()([features, _convolution(features, filters, 1)])
    grid = layers.Conv2D(len(ANCHORS) * DEPTH, 1, bias_initializer=_initial_bias)(features)
    return keras.Model(pictures, grid)


def _convolution(features: Any, filters: int, stride: int) -> Any:
    features = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(features)
    return layers.ReLU()(layers.BatchNormalization()(features))


def _initial_bias(shape: tuple[int, ...], dtype: object = None) -> Any:
    """Returns a bias with which a new network finds nothing: few cells have people."""
    bias = np.zeros((len(ANCHORS), DEPTH), np.float32)
    bias[:, :2], bias[:, 4] = 0.5, -4.5
    return ops.convert_to_tensor(bias.reshape(shape), dtype)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """The samples in random order, a batch at a time, with random mirroring, brightness and colour."""

    def __init__(self, samples: HallSamples) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self._samples, self._rng = samples, np.random.default_rng(1)
        self._order = self._rng.permutation(len(samples.pictures))

    def __len__(self) -> int:
        return len(self._order) // BATCH_SIZE

    def __getitem__(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        chosen = np.sort(self._order[number * BATCH_SIZE : (number + 1) * BATCH_SIZE])
        pictures, people = self._samples.pictures[chosen].astype(np.float32), self._samples.people[chosen]
        is_mirrored = self._rng.random(BATCH_SIZE) < 0.5
        pictures[is_mirrored] = pictures[is_mirrored, :, ::-1]
        people[is_mirrored, :, 0] = 1 - people[is_mirrored, :, 0] - people[is_mirrored, :, 2]
        pictures *= self._rng.uniform(0.9, 1.1, (BATCH_SIZE, 1, 1, 3)) * self._rng.uniform(0.85, 1.15, (BATCH_SIZE, 1, 1, 1))
        return np.clip(pictures, 0, 255), np.stack([to_grid(rows) for rows in people])

    def on_epoch_end(self) -> None:
        self._order = self._rng.permutation(self._order)


def to_grid(people: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the target for one picture, rows x columns x anchors x 6: a person's row with its box in cells, or zeros.

    A box goes to the anchor with the most similar size, in the cells within `REACH`; the nearest box wins.
    """
    grid = np.zeros((ROWS, COLUMNS, len(ANCHORS), 6), np.float32)
    distances = np.full(grid.shape[:3], np.inf)
    cells_y, cells_x = np.mgrid[:ROWS, :COLUMNS] + 0.5
    for person in people[people[:, 2] > 0]:
        left, top, width, height = person[:4] * (COLUMNS, ROWS, COLUMNS, ROWS)
        overlaps = [min(width, w) * min(height, h) / max(width * height, w * h) for w, h in ANCHORS]
        anchor = int(np.argmax(overlaps))
        distance = np.maximum(abs(cells_x - left - width / 2), abs(cells_y - top - height / 2))
        mine = (distance <= REACH) & (distance < distances[:, :, anchor])
        grid[mine, anchor] = (left, top, width, height, *person[4:])
        distances[mine, anchor] = distance[mine]
    return grid


def loss(target: Any, output: Any) -> Any:
    """Returns the loss of each picture: of the edges of true boxes in cells, of the objectness, and of the labels."""
    output = ops.reshape(output, (-1, ROWS, COLUMNS, len(ANCHORS), DEPTH))
    certainty = target[..., 4]
    corner_y, corner_x = np.mgrid[:ROWS, :COLUMNS][..., np.newaxis].astype(np.float32)
    size = ops.exp(ops.clip(output[..., 2:4], -4.0, 4.0)) * np.array(ANCHORS, np.float32)
    x, y = output[..., 0] + corner_x, output[..., 1] + corner_y
    half = size / 2
    edges = ops.stack([x - half[..., 0], x + half[..., 0], y - half[..., 1], y + half[..., 1]], axis=-1)
    left, top, width, height = (target[..., number] for number in range(4))
    true_edges = ops.stack([left, left + width, top, top + height], axis=-1)
    box_loss = ops.sum(ops.abs(edges - true_edges) * np.array((1, 1, 1, 2), np.float32), axis=-1)
    found_loss = ops.binary_crossentropy(certainty, output[..., 4], from_logits=True)
    labels = ops.one_hot(ops.cast(target[..., 5], "int32"), len(LABELS))
    label_loss = ops.categorical_crossentropy(labels, output[..., 5:], from_logits=True)
    return ops.sum(certainty * (0.5 * box_loss + label_loss) + found_loss, axis=(1, 2, 3))


def train(network: keras.Model, samples: HallSamples, checkpoint: str = "") -> None:
    """Fits the network to the samples. `checkpoint` is a file for the weights after each epoch."""
    steps = EPOCHS * (len(samples.pictures) // BATCH_SIZE)
    warm_up = steps // EPOCHS // 2
    rate = keras.optimizers.schedules.CosineDecay(
        LEARNING_RATE / 20, steps - warm_up, warmup_target=LEARNING_RATE, warmup_steps=warm_up
    )
    network.compile(keras.optimizers.AdamW(rate, weight_decay=1e-4, clipnorm=10.0), loss)
    callbacks = [keras.callbacks.ModelCheckpoint(checkpoint, save_weights_only=True)] if checkpoint else []
    network.fit(Batches(samples), epochs=EPOCHS, verbose=2, callbacks=callbacks)


def to_tflite(network: keras.Model) -> bytes:
    """Returns the TFLite model; its input is 1 x 240 x 320 x 3 float32 in BGR, 0 to 255. Weights are float16."""
    whole = layers.Input((INPUT_HEIGHT, INPUT_WIDTH, 3), batch_size=1)
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(whole, network(whole)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


if __name__ == "__main__":
    sys.exit(main())
