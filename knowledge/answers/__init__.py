"""In: a question, a library, a writer. Out: an answer whose citations were checked. Begins at `answering.answer`.

evidence    passages → sentences, ranked by how well each answers; how sure one may be that the answer is there
prompt      the best sentences, fenced as data, for a model
citations   each sentence a model wrote → the sentences that support it, by `support`; [n] counted
quotes      the best sentences verbatim, where the model's words do not hold
sentences   text → sentences and table rows, with offsets
"""
