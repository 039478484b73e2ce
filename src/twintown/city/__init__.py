"""The city: buildings and their parts, how high they are and how that is known, their roofs, and what is wrong with them."""
