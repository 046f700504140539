"""The display: shows predictions as 8x8 pixels on a Sense HAT, in the terminal and over MQTT."""
