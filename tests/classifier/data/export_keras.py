"""Writes the small models in this folder, as people export them from Keras. Run it with TensorFlow 2.20 in this folder.

`metadata.tflite` is from TensorFlow Lite Support 0.4.4: `image_classifier.MetadataWriter.create_for_inference`, with ImageNet's
mean and deviation, of `tests.support.tflite.classification(np.eye(3) / 255, np.zeros(3))`.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

PICTURE = np.arange(32 * 32 * 3, dtype=np.float32).reshape(1, 32, 32, 3) * 7 % 256
"""The picture, in RGB, of the probabilities in `tests/classifier/test_exporters.py`."""


def network(*first: keras.Layer) -> keras.Model:
    """Returns a classifier of 32 x 32 px with three labels."""
    keras.utils.set_random_seed(3)
    last = [
        layers.Conv2D(4, 3, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3, activation="softmax"),
    ]
    return keras.Sequential([layers.Input((32, 32, 3)), *first, *last])


def quantised(model: keras.Model, scale: float, mean: float) -> tf.lite.TFLiteConverter:
    """Returns a converter to int8 for pictures of (pixel - mean) / scale."""
    chance = np.random.default_rng(1)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [(chance.integers(0, 256, PICTURE.shape).astype(np.float32) - mean) / scale] for _ in range(20)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter


def main() -> None:
    """Writes the models, and prints the probabilities that Keras computes for `PICTURE`."""
    plain, rescaling = network(), network(layers.Rescaling(1 / 127.5, offset=-1))
    for name, converter in {
        "keras-float": tf.lite.TFLiteConverter.from_keras_model(plain),
        "keras-rescaling": tf.lite.TFLiteConverter.from_keras_model(rescaling),
        "keras-int8": quantised(plain, 255, 0),
        "keras-int8-signed": quantised(plain, 127.5, 127.5),
    }.items():
        Path(f"{name}.tflite").write_bytes(converter.convert())
    for values in (PICTURE / 255, PICTURE / 127.5 - 1):
        print(plain.predict(values, verbose=0).round(4).tolist())  # noqa: T201


if __name__ == "__main__":
    main()
