"""Events, what they need and who can give it, lots and their certificates, and the account when it is over."""
