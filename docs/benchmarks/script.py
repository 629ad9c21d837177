"""What makemore's script does, written down by hand as what to measure against.

The script pads every word to the longest, reads batches of 32 words drawn with
replacement, and trains with AdamW at a constant rate. It uses nothing of
sklearn_makemore.
"""

import torch
from torch import nn
from torch.nn import functional as F

CHARACTERS = "abcdefghijklmnopqrstuvwxyz"
STOI = {character: i for i, character in enumerate(CHARACTERS, start=1)}

N_STEPS = 10_000

NOTHING = -1
"""Target of a place after the end of a word: it does not count."""


def pad(words, block_size):
    """Return what is read and what is predicted, both (n_words, block_size)."""
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


def train(model, X, Y, n_steps, lr=5e-4, batch_size=32):
    """Take steps of AdamW over batches of padded words."""
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=lr, weight_decay=0.01, betas=(0.9, 0.99), eps=1e-8
    )
    model.train()
    for _ in range(n_steps):
        rows = torch.randint(0, len(X), (batch_size,))
        optimizer.zero_grad(set_to_none=True)
        loss(model, X[rows], Y[rows]).backward()
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
