"""The serving processes: gunicorn's master, its workers and their connections."""
