"""Models on this machine.

chat           for LangChain: one answer as it is written, or many at once
loading        which are loaded, and which engine answers
engine         what engines share; engine_openvino the quick one, engine_transformers the one that wears adapters
runs           rows written and scored by transformers
adapters/      which is worn: LoRA, IA3, prompts, bottlenecks
hf             folders and repositories
templates      a conversation as one string
probabilities  what a model would write next, each setting's effect
"""
