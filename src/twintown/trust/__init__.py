"""What every wing may ask: who is calling, how secret a thing is, and what the caller may do with it."""
