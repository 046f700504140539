"""Predictions in; 8x8 pixels out, on a Sense HAT, in the terminal and on the broker."""
