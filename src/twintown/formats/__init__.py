"""Formats: rows out and in, as streams of Arrow batches. One file a format beside `format.py`, the idea."""
