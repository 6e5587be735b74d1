"""Adapters of every kind upon one base.

wardrobe       which is worn; another one, or none, from one message to the next
peft_folder    LoRA and its kin, IA3, prompts: what PEFT reads
bottleneck     our own kind
"""
