"""Counters in many settings, and all that a counter has learned."""

from hypothesis import strategies as st

from sklearn_makemore import BigramCounter, NGramCounter

ANY_COUNTER = st.sampled_from([BigramCounter(), BigramCounter(0)]) | st.builds(
    NGramCounter,
    st.integers(1, 9),
    smoothing=st.sampled_from(["kneser-ney", "additive"]),
)


def state(counter):
    """All that a counter has learned, to the bit."""
    counts = getattr(counter, "counts_", None)
    if counts is None:
        ngrams, counts = counter.ngram_counts_.ngrams, counter.ngram_counts_.counts
        learned = [
            ngrams,
            counts,
            counter.model_._log_proba,
            counter.model_._log_backoff,
        ]
    else:
        learned = [counts, counter.log_proba_]
    arrays = [(array.dtype, array.shape, array.tobytes()) for array in learned]
    return counter.symbols_, counter.longest_word_, arrays
