"""Rows become an adapter: one process, one folder, nothing else. Supervision, pages and publishing stand elsewhere.

    JOB/config.json               what was asked: settings
    JOB/train.jsonl               examples as they are (tuning.rows), a frozen version's split
    JOB/validation.jsonl          where the split has one
    JOB/log                       for people; its last line is a sentence
    JOB/metrics.jsonl             a row per event: folder
    JOB/state.json                queued · preparing · running · evaluating · done · stopped · failed: folder
    JOB/stop                      made by whoever wants it to end; the best checkpoint is kept
    JOB/checkpoints/step-N/       checkpoints: safetensors and JSON, a manifest written last
    JOB/adapter/ or JOB/model/    the best one at the end: an adapter, or the whole model where the method trains it

settings · folder · checkpoints    what lies in a job's folder, without torch
rows · packing · plan              an example → token ids and what is learned; rows → packs; packs → steps
devices · helpers                  whether there is a GPU; the other processes, where several learn together
recipes · bases · foreign          defaults of a method; where a base lies; whether a stranger's adapter may be loaded
engine/                            torch: the model, the methods, the step, the run

`python -m tuning.training JOB` runs a job or goes on with it. Exit: 0 done, 1 failed, 2 the folder is no job, 3 stopped
(asked to, or its time was up). Knows nothing of SQL, chats or pages.
"""

from tuning.training.folder import State, Status
from tuning.training.settings import Settings

__all__ = ["Settings", "State", "Status"]
