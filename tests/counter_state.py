"""Counters in many settings, and all that a counter has learned."""

from hypothesis import strategies as st

from sklearn_makemore import BigramCounter, NGramCounter

ANY_COUNTER = st.sampled_from([BigramCounter(), BigramCounter(0)]) | st.builds(
    NGramCounter,
    st.integers(1, 9),
    smoothing=st.sampled_from(["kneser-ney", "additive"]),
    discounts=st.sampled_from(["leave-one-out", "closed-form"]),
    match_lengths=st.booleans(),
)


def state(counter):
    """All that a counter has learned, to the bit."""
    counts = getattr(counter, "counts_", None)
    if counts is None:
        counts, model = counter.ngram_counts_, counter.model_
        learned = [counts.ngrams, counts.counts, counts.word_lengths]
        learned += [counts.word_sample.keys, counts.word_sample.weights]
        if counter.match_lengths:
            learned.append(model.log_ratio)
            model = model.plain
        learned += [model.log_proba, model.log_backoff]
    else:
        learned = [counts, counter.log_proba_]
    arrays = [(array.dtype, array.shape, array.tobytes()) for array in learned]
    return counter.symbols_, counter.longest_word_, arrays
