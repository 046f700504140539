"""The figures in the documentation: ratios within one run, as machines differ and are noisy."""
