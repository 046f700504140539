"""Pictures: what a source gives, their pixels, and their preparation for a frame."""
