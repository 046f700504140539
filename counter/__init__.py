"""Makes visits of predictions and counts them."""
