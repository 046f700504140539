"""Scripts for set-up, deployment, container images and generated documentation."""
