"""What every surface of the server needs."""
