"""The laptop run, and the operator's commands for a running suite."""
