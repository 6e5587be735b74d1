"""In: a model and examples it has not learned from. Out: what it answers, how good that is, and whether tuning helped.

values · sentences        a question, an answer with what it took
run                       a model over questions, kept on disk as it goes
metrics/                  accuracy, ROUGE, BLEU, chrF, perplexity, format checks: numbers of single answers
intervals                 how sure a number is
judge                     a model that compares two answers, asked twice
voice                     "in the voice?", by a classifier that tells its own accuracy
compare · learning        base against tuned, by example and in sum; learned, or learned by heart; what was forgotten
foreseeing                perplexity and token accuracy, before and after, by the engine that answers in the chat
general                   a fixed set of questions that tuning should not unlearn
plots                     curves, bars, scatters as SVG

Pure but for `run` and `foreseeing`, which ask a model; `run` writes one file. Knows nothing of training, SQL or pages.
"""
