"""Writes colours.tflite and colours.onnx, the same Keras model in both formats, beside this file.

    python3.11 -m venv /tmp/export
    /tmp/export/bin/pip install "tensorflow==2.20.*" "tf2onnx==1.17.*"
    /tmp/export/bin/python tests/classifier/data/export_twice.py

The model has the layers of a small MobileNet and takes RGB from 0 to 255. Its labels are the colours red, green and blue: it was
trained to find the one that is strongest in a picture.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from keras import layers

FOLDER = Path(__file__).parent


def main() -> None:
    """Creates the model and exports it twice."""
    keras.utils.set_random_seed(17)
    model = keras.Sequential(
        [
            layers.Input((32, 32, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(4, 3, strides=2, activation="relu6"),
            layers.DepthwiseConv2D(3, strides=2),
            layers.BatchNormalization(),
            layers.ReLU(6),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    tints = np.random.default_rng(17).uniform(0, 255, (4096, 1, 1, 3))
    pictures = np.random.default_rng(18).uniform(0, 1, (4096, 32, 32, 3)) * tints
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(pictures, tints.argmax(axis=-1).ravel(), epochs=20, verbose=2)
    (FOLDER / "colours.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    signature = [tf.TensorSpec((None, 32, 32, 3), tf.float32, name="picture")]
    function = tf.function(model, input_signature=signature)
    tf2onnx.convert.from_function(function, signature, opset=17, output_path=str(FOLDER / "colours.onnx"))


if __name__ == "__main__":
    main()
