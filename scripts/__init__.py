"""What sets up and deploys Footfall from this folder."""
