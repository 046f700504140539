"""The figures in the README: each is a ratio in one run, as machines differ and are noisy."""
