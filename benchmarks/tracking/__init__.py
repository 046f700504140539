"""How well the counter's tracker follows people, beside other trackers on the same boxes."""
