"""The runtime of a module: settings, logging, worker threads, heartbeat, metrics and process exit."""
