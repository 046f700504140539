"""Causes faults in a running suite, one after the other, while visitors come and go, and measures what holds."""
