"""Published judge protocols, one file each: parsing of verdicts and their aggregation."""
