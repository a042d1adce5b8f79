"""The commands beside those of `rag.cli`, by noun, and how every command runs."""
