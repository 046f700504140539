"""A page in the browser: live pictures, counts and the state of all modules; with its server, and an API for scripts."""
