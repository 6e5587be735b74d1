"""From curated conversations to training data, and from there to a model of one's own.

values · rows             an example, frozen; the same as JSON
sources/                  chats, other products' exports, documents, a teacher → examples
cleaning/                 what is wrong with an example, and why
formats/ · checking/      what providers and trainers take; every problem of a file before anyone pays
counting/                 tokens, steps, money, time
store/ · datasets/        drafts, versions, splits, cards
pages/ · commands/        the browser's and the terminal's way in

It reads chats through `assistant.history`. The assistant never imports this package.
"""
