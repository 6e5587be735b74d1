"""In: jobs, what they measured, words. Out: the HTML of the training page. Pure.

run           one job as it is read for being shown
pieces_view   addresses, times, statuses, bars
frame_view    what stays, the list of jobs, how it begins
form_view     what is asked before a job starts, and what it will take
job_view      one job: how far, what it measured, what it answered, what can be done with it
compare_view  two jobs side by side
"""
