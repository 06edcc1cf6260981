"""The database's revisions, from the first table on; `Store.migrate` runs them."""
