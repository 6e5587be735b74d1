"""The HTML of the datasets page, one file for each thing a person sees. Pure; whatever others wrote is escaped.

pieces       buttons, fields, numbers, times
listing      all datasets, and how it begins
head         one of them: its name, its counts, the next step
gather · examples · plots · clean · versions · export      its tabs
progress     what is being done, and what came of it
"""
