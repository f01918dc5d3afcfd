"""What people have battles in: one file for each format, all read as the columns of the public arena data."""
