"""Models on this machine: chat (for LangChain), its engines, hf (folders and repositories), adapters, probabilities."""
