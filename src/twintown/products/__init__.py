"""Products: layers made ready for the eye. Pure functions from layer versions to files."""
