"""Models elsewhere: a file per protocol (openai, ollama, vertex) over one patient way of asking (wire, sending)."""
