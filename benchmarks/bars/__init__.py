"""The table of performance: what is measured beside its limit, in one run on one machine."""
