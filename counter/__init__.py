"""Turns predictions into visits and counts."""
