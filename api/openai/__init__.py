"""The routes that OpenAI's clients talk to: thin encoders over the answer events of /v1/ask."""
