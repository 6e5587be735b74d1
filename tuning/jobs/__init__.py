"""In: a version of a dataset, a recipe, a base. Out: a job: a process of its own that trains, and what became of it.

values       a job as it is shown
jobs         started, queued, watched, cancelled, gone on with; a process that died is taken up again
publishing   a finished job → a persona in the chat, with its lineage; a gate on what was measured
published    every model a persona had, to go back to
"""

from tuning.jobs.jobs import Jobs
from tuning.jobs.values import Job

__all__ = ["Job", "Jobs"]
