"""The run without Docker, and the operator's commands for a running suite."""
