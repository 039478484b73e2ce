"""A twin: a directory of open formats with one database, and the description of what this city is."""
