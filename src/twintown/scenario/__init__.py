"""Plans: a base, the edits that people made to it, what they said, what it does, and who approved it."""
