"""Sidecars: what a version of a layer needs to be asked fast. A packed Hilbert R-tree and memory-mapped Arrow rows."""
