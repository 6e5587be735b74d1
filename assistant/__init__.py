"""The assistant: history, agent, models and the chat page. Import from here."""
