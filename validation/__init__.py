"""Cases that measure the kernels' errors: one file a case; `python -m validation` runs all and writes VALIDATION.md."""
