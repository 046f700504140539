"""Predictions in; visits, counts and selected results out."""
