"""Stand-ins for edgeHub and the workload API, for tests with the unmodified Azure SDK."""
