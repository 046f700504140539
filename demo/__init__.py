"""The demo: scenes of a drawn shop door with their ground truth, and a model trained on such scenes."""
