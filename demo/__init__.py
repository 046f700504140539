"""The demo: a drawn shop door with the truth of who came, and a model trained on such scenes."""
