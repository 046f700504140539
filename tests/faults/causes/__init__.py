"""Faults by kind. Each module here has a tuple `FAULTS`."""
