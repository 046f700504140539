"""Benchmarks for the figures in the documentation: ratios within one run, because machines differ and are noisy."""
