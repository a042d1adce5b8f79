"""What is kept on disk: the library's tables, the index's builds, and who holds the directory."""
