"""The table of all bars: what Footfall must reach, what it reaches, and how that was seen."""
