"""From a description to a served twin: what is stale (`plan`), and who does it (`run`)."""
