"""From curated conversations to a model of one's own. Nothing to import yet: the chat log that feeds it comes first.

What will come here reads chats through `assistant.history`, publishes through `assistant.personas` and serves tuned
weights through `assistant.models`. The assistant never imports this package.
"""
