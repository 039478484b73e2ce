"""HTTP: one file per concern. Each parses, asks the rooms below, and renders; nothing is decided here twice."""
