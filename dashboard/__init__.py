"""The dashboard: a web page with live pictures, counts and the state of all modules, and an HTTP API for scripts."""
