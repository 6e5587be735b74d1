"""Where examples come from: other products' exports and files, read row by row. Import from here.

opening         a path → examples and what was skipped
files · streams bytes → text → JSON values, whatever a stranger's file does
readers/        one file for each product or way of writing
skipped         what could not be read, where, and why
"""

from tuning.sources.opening import Reading, open_source
from tuning.sources.readers import KINDS
from tuning.sources.skipped import Skipped

__all__ = ["KINDS", "Reading", "Skipped", "open_source"]
