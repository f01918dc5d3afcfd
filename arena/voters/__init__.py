"""What a voter can do with their own data: read it, take it to another browser, download it, delete it."""
