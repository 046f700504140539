"""Tests with Prometheus."""
