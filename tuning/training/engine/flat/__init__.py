"""Packs of one fixed shape, for a GPU: each step runs the same compiled code on other numbers, and waits for nothing.

sheets      a pack as tensors of the run's one shape; the next ones are made ready in a thread
attention   attention that ends at the borders of rows: on a GPU by its variable-length kernel
loss        the head and the cross-entropy together, a few thousand learned places at a time
learner     the step: compiled layers, fused AdamW, numbers read two steps late; one that is not finite changes nothing

All of it also runs on a processor, where tests hold it against the rows read one by one.
"""
