"""What the sources read with: FFmpeg, Video4Linux, HTTP, other programs, and the JPEGs in a stream."""
