"""Words that are found by search, and how long to search.

SKLEARN_MAKEMORE_EXAMPLES=1000 searches longer, each time among other examples.
"""

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

N_EXAMPLES = int(os.environ.get("SKLEARN_MAKEMORE_EXAMPLES", 0))
LONGEST = 10_000


def search(n_examples, **options):
    """Settings of a search: by default the same few examples at each run, no files."""
    return settings(
        derandomize=not N_EXAMPLES,
        database=None,
        deadline=None,
        max_examples=max(1, N_EXAMPLES * n_examples // 50)
        if N_EXAMPLES
        else n_examples,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        **options,
    )


SEARCH = search(50)

ANY = st.characters(exclude_categories=["Cs"])
SURROGATE = st.characters(categories=["Cs"])
WORD = st.text("ab\0\n", max_size=6) | st.text(ANY, max_size=6)
WORDS = st.lists(WORD, min_size=1, max_size=12)
# A beginning many times over, so that a long word is drawn as fast as a short one.
LONG_WORD = st.builds(
    lambda text, length: (text * (1 + length // len(text)))[:length],
    st.text(ANY, min_size=1, max_size=20),
    st.integers(0, LONGEST),
)
