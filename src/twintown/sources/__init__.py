"""Sources: whatever brings data into a twin, one file a format. `source.py` is the idea, its siblings are the examples."""
