"""Live streams: who is woken when, and how it is written."""
