"""Prompt templates as files: `<name>.<version>.j2`; `rag.prompting` reads them."""
