"""Where things are kept: bytes by key (`blobs`) and rows that switch in one transaction (`tables`)."""
