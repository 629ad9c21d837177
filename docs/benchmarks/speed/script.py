"""makemore's script, written by hand as a baseline.

The script pads every word to the longest, reads batches of 32 words sampled with
replacement, and trains with AdamW at a constant rate. It samples names without keeping
anything from one character to the next. The code uses nothing of sklearn_makemore; the
network is any module from ids (B, T) to logits (B, T, 27).
"""

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

CHARACTERS = "abcdefghijklmnopqrstuvwxyz"
STOI = {character: i for i, character in enumerate(CHARACTERS, start=1)}
ITOS = {i: character for character, i in STOI.items()}

N_STEPS = 10_000

NOTHING = -1
"""Target of positions after the end of a word, which the loss ignores."""


def pad(words, block_size):
    """Return inputs and targets, both (n_words, block_size)."""
    X = torch.zeros(len(words), block_size, dtype=torch.long)
    Y = torch.full((len(words), block_size), NOTHING)
    for i, word in enumerate(words):
        ids = torch.tensor([STOI[character] for character in word])
        X[i, 1 : len(word) + 1] = ids
        Y[i, : len(word)] = ids
        Y[i, len(word)] = 0
    return X, Y


class BagOfWords(nn.Module):
    """`--type bow`: causal mean of embeddings, a small network, logits."""

    def __init__(self, block_size, n_embd=64, n_hidden=64):
        super().__init__()
        self.wte = nn.Embedding(27, n_embd)
        self.wpe = nn.Embedding(block_size, n_embd)
        self.fc = nn.Linear(n_embd, n_hidden)
        self.proj = nn.Linear(n_hidden, n_embd)
        self.head = nn.Linear(n_embd, 27)
        mask = torch.tril(torch.ones(block_size, block_size))
        self.register_buffer("mean", mask / mask.sum(1, keepdim=True))

    def forward(self, X):
        x = self.wte(X) + self.wpe.weight  # (B, T, C)
        x = x + self.mean @ x
        x = x + self.proj(torch.tanh(self.fc(x)))
        return self.head(x)  # (B, T, 27)


def adamw(model, lr=5e-4):
    """Return the script's optimiser; this one is fused, and so faster."""
    return torch.optim.AdamW(
        model.parameters(),
        lr=lr,
        weight_decay=0.01,
        betas=(0.9, 0.99),
        eps=1e-8,
        fused=True,
    )


def train(model, X, Y, n_steps, batch_size=32):
    """Take steps of AdamW over batches of padded words."""
    optimizer = adamw(model)
    model.train()
    for _ in range(n_steps):
        rows = torch.randint(0, len(X), (batch_size,))
        optimizer.zero_grad(set_to_none=True)
        loss(model, X[rows], Y[rows]).backward()
        optimizer.step()


def train_epoch(model, X, Y, batch_size):
    """Take the steps of one epoch over padded words that a DataLoader shuffles."""
    loader = DataLoader(TensorDataset(X, Y), batch_size=batch_size, shuffle=True)
    optimizer = adamw(model)
    model.train()
    for inputs, targets in loader:
        optimizer.zero_grad(set_to_none=True)
        loss(model, inputs, targets).backward()
        optimizer.step()


def loss(model, X, Y):
    """Return the mean negative log-likelihood per character."""
    logits = model(X).flatten(0, 1)
    return F.cross_entropy(logits, Y.flatten(), ignore_index=NOTHING)


@torch.no_grad()
def nll(model, X, Y):
    """Return the mean negative log-likelihood per character of all words."""
    model.eval()
    return float(loss(model, X, Y))


def word_log_proba(model, X, Y):
    """Return the log-probability of each padded word and its end, (B,)."""
    logits = model(X).flatten(0, 1)  # (B * T, 27)
    minus = F.cross_entropy(logits, Y.flatten(), ignore_index=NOTHING, reduction="none")
    return -minus.view_as(Y).sum(1)


@torch.no_grad()
def score_words(model, words, block_size, device="cpu", batch_size=1000):
    """Return the log-probability of words, with one forward pass per padded batch."""
    scores = []
    for start in range(0, len(words), batch_size):
        X, Y = pad(words[start : start + batch_size], block_size)
        scores.append(word_log_proba(model, X.to(device), Y.to(device)))
    return torch.cat(scores)


@torch.no_grad()
def sample(model, n_names, longest, generator, batch_size=1000):
    """Sample names of up to `longest` characters, rereading all input at every step."""
    names = []
    for start in range(0, n_names, batch_size):
        n_rows = min(batch_size, n_names - start)
        X = torch.zeros((n_rows, 1), dtype=torch.long, device=generator.device)
        ended = torch.zeros(n_rows, dtype=torch.bool, device=generator.device)
        while X.shape[1] <= longest and not ended.all():
            probs = F.softmax(model(X)[:, -1], dim=-1)  # (n_rows, 27)
            drawn = torch.multinomial(probs, num_samples=1, generator=generator)
            X = torch.cat([X, drawn], dim=1)
            ended |= drawn[:, 0] == 0
        names += [up_to_the_end(row) for row in X[:, 1:].tolist()]
    return names


def up_to_the_end(ids):
    """Return the characters before the first boundary, or all without one."""
    n_characters = ids.index(0) if 0 in ids else len(ids)
    return "".join(ITOS[i] for i in ids[:n_characters])
