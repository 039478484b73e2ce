"""The built-in processes; each comes through the entry points `twintown.processes`, like anybody's."""
