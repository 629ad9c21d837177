"""Small sequence modules in float64, sequences for them, and reading step by step."""

import torch

from sklearn_makemore.modules import GRU, LSTM, RNN, BoW, Transformer

N_SYMBOLS, LONGEST = 7, 9
SIZES = {"n_symbols": N_SYMBOLS, "n_embd": 6, "n_hidden": 5}
HEADS = {"n_symbols": N_SYMBOLS, "n_embd": 8, "block_size": LONGEST}
RECURRENT = {
    "rnn": (RNN, SIZES),
    "rnn, 2 layers": (RNN, {**SIZES, "n_layers": 2}),
    "gru": (GRU, SIZES),
    "gru, 2 layers": (GRU, {**SIZES, "n_layers": 2}),
    "lstm": (LSTM, SIZES),
    "lstm, 2 layers": (LSTM, {**SIZES, "n_layers": 2}),
}
POSITIONS = {
    "bow": (BoW, {**SIZES, "block_size": LONGEST}),
    "transformer": (Transformer, {**HEADS, "n_heads": 2, "n_layers": 2}),
    "transformer, 1 head": (Transformer, {**HEADS, "n_heads": 1, "n_layers": 1}),
}
MODULES = {**RECURRENT, **POSITIONS}


def made(name, **params):
    """Make a module of float64, with values that no parameter begins with."""
    module_class, settings = MODULES[name]
    module = module_class(**{**settings, **params}).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.5)
    return module.eval()


def sequences(n_rows=40):
    """Sorted random rows with much in common at the start, and their lengths."""
    ids = torch.randint(N_SYMBOLS, (n_rows, LONGEST))
    ids[:, :2] = torch.randint(2, (n_rows, 2))
    ids[:, 2:4] = torch.randint(3, (n_rows, 2))
    lengths = torch.randint(1, LONGEST + 1, (n_rows,))
    lengths[-1] = LONGEST
    rows = sorted(
        row[:n] for row, n in zip(ids.tolist(), lengths.tolist(), strict=True)
    )
    lengths = torch.tensor([len(row) for row in rows])
    padded = torch.tensor([row + [0] * (LONGEST - len(row)) for row in rows])
    return padded, lengths, torch.arange(LONGEST) < lengths[:, None]


def stepped(module, ids):
    """Read rows of one length symbol by symbol."""
    state, logits = module.initial_state(len(ids)), []
    for column in ids.T:
        scores, state = module.step(column, state)
        logits.append(scores)
    return torch.stack(logits, 1)
