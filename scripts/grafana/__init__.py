"""The Grafana dashboard in docs/grafana: its queries, and a picture of its panels, without a Grafana server."""
