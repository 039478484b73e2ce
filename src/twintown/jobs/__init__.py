"""Questions that a city can be asked: what a process promises, and where it is found."""
