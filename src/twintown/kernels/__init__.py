"""Numbers in, numbers out: compiled loops over SI floats; no shapes, no files, no clocks."""
