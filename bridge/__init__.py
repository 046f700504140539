"""The bridge: selected results from the broker to one or more sinks."""
