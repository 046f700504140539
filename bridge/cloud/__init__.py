"""What the cloud may ask of the bridge, what it is told, and how that travels."""
