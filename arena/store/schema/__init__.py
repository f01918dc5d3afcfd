"""The database tables, one file for each group."""
