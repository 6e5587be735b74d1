"""The child's work: heavy vendors stay in here.

merging    a base and an adapter → one model's folder (torch, PEFT)
tensors    a model's folder → its tensors, one at a time, without torch
layers     config.json, tensors → what a GGUF calls them
words      tokenizer.json → what a GGUF says of a tokenizer
gguf_file  a model's folder → one GGUF
"""
