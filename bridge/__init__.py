"""Results from the broker in; the selected ones out, to one or more sinks."""
