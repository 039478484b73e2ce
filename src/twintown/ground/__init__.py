"""The ground floor: the shapes that carry data, and what each of them always carries with it."""
