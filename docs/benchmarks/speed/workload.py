"""The words, how much is done with them, and the models that several rows share."""

from dataclasses import dataclass, field

import torch
from report import lecture_split, names_file, read_names

import sklearn_makemore

CHARACTERS = "abcdefghijklmnopqrstuvwxyz"
"""The alphabet of all baselines: a model with it has the same ids on any words."""


@dataclass
class Workload:
    """What the rows are measured on.

    `is_quick` takes fewer words, steps and turns, for a look. Models of `fitted` are
    shared: they must not be changed.
    """

    names: list[str]
    train: list[str]
    valid: list[str]
    is_quick: bool = False
    device: str = "cpu"
    models: dict = field(default_factory=dict)

    def __post_init__(self):
        self.longest = max(map(len, self.names))

    @classmethod
    def read(cls, is_quick, device):
        """Return the list of the lectures and its split."""
        names = read_names()
        train, valid, _ = lecture_split(names)
        return cls(names, train, valid, is_quick, device)

    def either(self, full, quick):
        """Return the one of two sizes that is asked for."""
        return quick if self.is_quick else full

    def network(self, name, **params):
        """Return an unfitted network by its class's name."""
        estimator = getattr(sklearn_makemore, name)
        fixed = {"alphabet": CHARACTERS, "device": self.device, "random_state": 0}
        return estimator(**fixed, **params)

    def fitted(self, name):
        """Return a network fitted for one epoch; speed does not depend on quality."""
        if name not in self.models:
            model = self.network(name, max_epochs=1)
            self.models[name] = model.fit(self.train[: self.either(None, 3000)])
        return self.models[name]

    def generator(self):
        """Return a generator of random numbers on the device."""
        return torch.Generator(self.device).manual_seed(0)

    @property
    def names_file(self):
        """Where the names were read from."""
        return names_file()
