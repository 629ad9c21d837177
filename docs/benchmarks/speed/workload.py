"""The words, the amount of work, and the models that several rows share."""

from dataclasses import dataclass, field

import torch
from report import lecture_split, names_file, read_names

import sklearn_makemore

CHARACTERS = "abcdefghijklmnopqrstuvwxyz"
"""The alphabet of all baselines, so that every model has the same symbol ids."""


@dataclass
class Workload:
    """Words and models that the rows are measured on.

    `is_quick` selects fewer words, steps and runs. The models of `fitted` are shared
    and must not be changed.
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
        """Return the lectures' list and its split."""
        names = read_names()
        train, valid, _ = lecture_split(names)
        return cls(names, train, valid, is_quick, device)

    def either(self, full, quick):
        """Return `quick` with `is_quick`, else `full`."""
        return quick if self.is_quick else full

    def network(self, name, **params):
        """Return an unfitted network by the name of its class."""
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
        """Return a seeded random generator on the device."""
        return torch.Generator(self.device).manual_seed(0)

    @property
    def names_file(self):
        """Path of the names."""
        return names_file()
