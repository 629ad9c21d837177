"""The tree of prefixes against a dict of prefixes."""

import random

import pytest
import torch

from sklearn_makemore.modules import GRU, PrefixTree

rng = random.Random(0)
WORDS = [[rng.randrange(4) for _ in range(rng.randint(1, 6))] for _ in range(60)]
SORTED = sorted(WORDS)
DISTINCT = sorted({tuple(word) for word in WORDS})
SEQUENCES = {
    "sorted": SORTED,
    "any order": WORDS,
    "distinct": DISTINCT,
    "one": [[3, 0, 0]],
    "one symbol": [[2]],
    "equal": [[1, 2, 1]] * 5,
    "nothing in common": [[0, 1], [1], [2, 1, 1], [3]],
    "each is a prefix of the next": [[1], [1, 0], [1, 0, 0], [1, 0, 0, 0]],
    "each is a prefix of the last": [[1, 0, 0, 0], [1, 0, 0], [1, 0], [1]],
}


@pytest.fixture(autouse=True)
def own_random_numbers():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def tree_of(sequences, filling=0):
    """Make a tree of sequences of any lengths."""
    longest = max(map(len, sequences))
    rows = [[*row, *[filling] * (longest - len(row))] for row in sequences]
    lengths = torch.tensor([len(row) for row in sequences])
    return PrefixTree.from_ids(torch.tensor(rows), lengths)


def prefix_of(node, symbols, tree):
    """Read the prefix of a node from its parents."""
    level = int(tree.depths[node])
    prefix = []
    for _ in range(level + 1):
        prefix.insert(0, int(symbols[node]))
        node = int(tree.parents[node])
    return tuple(prefix)


def n_prefixes(sequences):
    """Number of distinct prefixes, the empty one apart."""
    return len({tuple(row[:stop]) for row in sequences for stop in range(1, 9)})


@pytest.mark.parametrize("name", SEQUENCES)
def test_nodes_are_the_prefixes(name):
    sequences = SEQUENCES[name]
    symbols, tree = tree_of(sequences)
    prefixes = [prefix_of(node, symbols, tree) for node in range(len(tree))]
    for row, path in zip(sequences, tree.paths.tolist(), strict=True):
        nodes = path[: len(row)]
        expected = [tuple(row[:stop]) for stop in range(1, len(row) + 1)]
        assert [prefixes[node] for node in nodes] == expected
        assert path[len(row) :] == [0] * (len(path) - len(row))
    assert len(symbols) == len(tree) == len(prefixes)
    if name not in {"any order", "each is a prefix of the last"}:
        # In lexicographic order no prefix has two nodes.
        assert len(set(prefixes)) == len(prefixes) == n_prefixes(sequences)
    assert set(prefixes) == {
        tuple(row[:stop]) for row in sequences for stop in range(1, len(row) + 1)
    }


@pytest.mark.parametrize("name", SEQUENCES)
def test_nodes_are_numbered_level_by_level(name):
    symbols, tree = tree_of(SEQUENCES[name])
    levels = list(tree.levels())
    assert len(levels) == tree.paths.shape[1] == len(tree.bounds) - 1
    before, above = 0, 0
    for level, (nodes, parents) in enumerate(levels):
        assert nodes.start == before < nodes.stop
        here = range(nodes.start, nodes.stop)
        assert {len(prefix_of(node, symbols, tree)) for node in here} == {level + 1}
        if level:
            torch.testing.assert_close(parents + above, tree.parents[nodes])
            assert parents.min() >= 0 and parents.max() < before - above
        else:
            # All of the first level come after the same state, which is row 0.
            assert parents.tolist() == [0] * len(here)
        above, before = before, nodes.stop
    assert before == len(tree)
    assert tree.depths.tolist() == [
        len(prefix_of(node, symbols, tree)) - 1 for node in range(len(tree))
    ]


@pytest.mark.parametrize("filling", [0, 1, 3, 9])
def test_what_fills_up_the_rows_is_of_no_account(filling):
    # Also where it is a symbol: "ab" filled up with "c" is not "abc".
    for sequences in SEQUENCES.values():
        symbols, tree = tree_of(sequences)
        others, other = tree_of(sequences, filling)
        assert torch.equal(others, symbols)
        assert torch.equal(other.parents, tree.parents)
        assert torch.equal(other.paths, tree.paths)
        assert torch.equal(other.sequences, tree.sequences)
        assert torch.equal(other.depths, tree.depths)
        assert other.bounds == tree.bounds


def test_rows_of_one_length_need_no_lengths():
    rows = torch.tensor(sorted(rng.choices(range(3), k=4) for _ in range(30)))
    symbols, tree = PrefixTree.from_ids(rows)
    others, other = PrefixTree.from_ids(rows, torch.full((30,), 4))
    assert torch.equal(symbols, others)
    assert torch.equal(tree.paths, other.paths)
    assert len(tree) == n_prefixes(rows.tolist())


def test_nodes_and_sequences_are_laid_out_as_each_other():
    symbols, tree = tree_of(SORTED)
    torch.testing.assert_close(
        tree.paths[tree.sequences, tree.depths], torch.arange(len(tree))
    )
    whole = [path[:n] for path, n in zip(tree.paths, tree.lengths, strict=True)]
    assert torch.equal(tree.nodes, torch.cat(whole))


def test_a_function_of_sequences_is_one_of_nodes():
    # Lengths on both sides of every limit, the last symbol of the longest among them.
    rows = sorted(
        [rng.randrange(2) for _ in range(length)]
        for length in (1, 2, 7, 8, 8, 9, 15, 16, 17, 31, 33, 70)
    )
    symbols, tree = tree_of(rows)
    values = torch.randn(len(tree), 3, dtype=torch.float64, requires_grad=True)
    shapes = []

    def sums(x):
        shapes.append(x.shape)
        return x.cumsum(1)

    found = tree.map_paths(sums, values)
    for node, total in enumerate(found):
        expected = torch.zeros(3, dtype=torch.float64)
        above = node
        for _ in range(int(tree.depths[node]) + 1):
            expected += values[above]
            above = int(tree.parents[above])
        torch.testing.assert_close(total, expected)
    # Nothing but the shortest is padded to more than twice its length.
    assert [shape[:2] for shape in shapes] == [
        (5, 8),
        (3, 16),
        (2, 31),
        (1, 33),
        (1, 70),
    ]
    # A node is in the sums of all below it, itself among them.
    found.sum().backward()
    n_below = torch.zeros(len(tree), dtype=torch.float64)
    for node in range(len(tree)):
        for _ in range(int(tree.depths[node]) + 1):
            n_below[node], node = n_below[node] + 1, int(tree.parents[node])
    assert torch.equal(values.grad, n_below[:, None].expand(-1, 3))


def test_sequences_may_begin_with_different_symbols():
    # The words of a model all begin with the boundary; other sequences need not.
    gru = GRU(n_symbols=4, n_embd=3, n_hidden=5)
    torch.nn.init.normal_(gru.start)
    rows = torch.tensor([[0, 1], [1, 1], [3, 0]])
    symbols, tree = PrefixTree.from_ids(rows)
    along = gru(symbols, tree)[tree.paths]
    torch.testing.assert_close(along, gru(rows))
