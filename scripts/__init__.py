"""What runs, sets up and deploys Footfall from this folder."""
