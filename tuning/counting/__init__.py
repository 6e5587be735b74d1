"""What a model reads of an example, and what learning it costs: tokens, steps, money, time.

tokens · vocabularies/    a counter for any model by its name: its own tokenizer, or a named rule of thumb
shown                     an example as the model sees it: token by token, with what carries loss
facts                     limits and prices, from two dated files
estimate                  tokens, steps, money, time of a run
probe                     a few measured steps of a run on this machine

Reads no settings and knows nothing of SQL, pages or providers' formats.
"""
