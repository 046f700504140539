"""The life of a module: settings, logs, worker threads, heartbeat, metrics, process exit."""
