"""What learns: torch, transformers and PEFT are imported here and nowhere else in tuning.

base        a model from a folder, frozen, in the precision that is quick on this machine
attention   rows of a pack that do not see each other
quick       LoRA's layers with the least of arithmetic; the loss at learned places alone
device      where it happens; what a GPU holds
flat/       packs of one fixed shape, compiled: the GPU's way
methods/    from settings to what is trained, and what is written at the end
step        one step of learning, one evaluation
learners    one door to both ways
together    several processes as one
run         the whole of a job
guard       memory, disk, numbers that are no longer finite
"""
