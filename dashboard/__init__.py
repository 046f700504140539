"""The dashboard: what it tells browsers, and who may see it."""
