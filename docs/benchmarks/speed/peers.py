"""Other libraries for the same tasks.

They are imported where they are used. If one is not installed, its row says so.
"""

from importlib.util import find_spec

from timing import Figure


def is_installed(peer):
    """Whether a library can be imported."""
    return find_spec(peer) is not None


def absent(what, peer):
    """Return the row of a comparison with a library that is not installed."""
    return Figure(what, "", [], f"{peer}: not installed")


def count_vectorizer(words):
    """Count the pairs of characters of every word into a sparse matrix."""
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(analyzer="char", ngram_range=(2, 2)).fit_transform(words)


def nltk_kneser_ney(words, order):
    """Fit nltk's interpolated Kneser-Ney to words, as sentences of characters."""
    from nltk.lm import KneserNeyInterpolated
    from nltk.lm.preprocessing import padded_everygram_pipeline

    ngrams, symbols = padded_everygram_pipeline(order, words)
    model = KneserNeyInterpolated(order)
    model.fit(ngrams, symbols)
    return model


def nltk_log_proba(model, word):
    """Return the base-2 log-probability of a word, character by character."""
    from nltk.lm.preprocessing import pad_both_ends

    symbols = list(pad_both_ends(word, model.order))
    start = model.order - 1
    return sum(
        model.logscore(symbols[place], symbols[place - start : place])
        for place in range(start, start + len(word) + 1)
    )


def markovify_chain(words, state_size):
    """Fit markovify's chain of characters."""
    from markovify import Chain

    return Chain([list(word) for word in words], state_size)


def markovify_sample(chain, n_words):
    """Sample words one at a time, as markovify does."""
    return ["".join(chain.gen()) for _ in range(n_words)]
