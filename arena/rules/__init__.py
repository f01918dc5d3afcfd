"""Pure rules without I/O: categories, languages, name masking, PII, prompt limits and seals."""
