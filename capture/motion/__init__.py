"""Whether anything moves, and which frames are held back while nothing does."""
