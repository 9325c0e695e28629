"""Multinomial logit: learns how much each feature matters when people choose among titles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from batch.recommend.interactions import Doubles, Floats

STEPS = 30
CLOSE_ENOUGH = 1e-6
CONSTANT = 1e-4
"""A feature with a smaller standard deviation counts as constant."""


@dataclass(frozen=True, slots=True)
class Example:
    """What profiles could choose from, and what they chose."""

    features: Floats
    """Profiles × titles × features."""
    open: Floats
    """1 for titles that could be chosen: not watched before."""
    chosen: Floats
    """1 for titles that were chosen; at least one per profile."""


@dataclass(frozen=True, slots=True)
class LogitModel:
    """Weights for features scaled to mean 0 and standard deviation 1."""

    mean: Doubles
    deviation: Doubles
    weights: Doubles

    @classmethod
    def fit(cls, examples: Sequence[Example], l2: float) -> "LogitModel":
        """The weights with the highest likelihood of the choices. Every profile counts once; ``l2`` is in profiles.

        The loss is convex and has few weights, so Newton's method finds its minimum in about ten steps.
        """
        mean = np.mean([example.features.mean((0, 1), dtype=np.float64) for example in examples], axis=0)
        deviation = np.mean([example.features.std((0, 1), dtype=np.float64) for example in examples], axis=0)
        deviation[deviation < CONSTANT] = 1  # or rounding errors would count as information
        scaled = [((example.features - mean) / deviation).astype(np.float32) for example in examples]
        weights = np.zeros(len(mean))
        loss, slope, curve = _loss(scaled, examples, weights, l2)
        for _ in range(STEPS):
            step = np.linalg.solve(curve, slope)
            while (found := _loss(scaled, examples, weights - step, l2))[0] > loss:
                step /= 2  # far from the minimum a whole step may overshoot
            weights, gain = weights - step, loss - found[0]
            loss, slope, curve = found
            if gain < CLOSE_ENOUGH * loss:
                break
        return cls(mean, deviation, weights)

    def scores(self, features: Floats) -> Floats:
        """The difference of two titles' scores is the log odds of choosing one over the other."""
        per_unit = self.weights / self.deviation
        return (features @ per_unit.astype(np.float32)) - np.float32(self.mean @ per_unit)


def _loss(
    scaled: Sequence[Floats], examples: Sequence[Example], weights: Doubles, l2: float
) -> tuple[float, Doubles, Doubles]:
    """Loss, slope and curvature: the cross entropy between chosen and expected titles, summed over profiles."""
    loss = 0.5 * l2 * float(weights @ weights)
    slope = l2 * weights
    curve = l2 * np.eye(len(weights))
    for features, example in zip(scaled, examples, strict=True):
        scores = np.where(example.open > 0, features @ weights.astype(np.float32), -np.inf)
        scores -= scores.max(1, keepdims=True)
        odds = np.exp(scores)
        expected = odds / odds.sum(1, keepdims=True)
        wanted = example.chosen / example.chosen.sum(1, keepdims=True)
        loss -= float((wanted * np.log(np.maximum(expected, 1e-30))).sum())
        slope = slope + np.einsum("pt,ptf->f", expected - wanted, features, optimize=True)
        centre = np.einsum("pt,ptf->pf", expected, features, optimize=True)
        flat = features.reshape(-1, features.shape[-1])
        curve = curve + (flat * expected.reshape(-1, 1)).T @ flat - centre.T @ centre
    return loss, slope, curve
