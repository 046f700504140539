"""A stand-in for edgeHub, to which the unmodified Azure SDK connects."""
