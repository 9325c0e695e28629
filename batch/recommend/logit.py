"""Multinomial logit, the model of choice: learns how much each feature pulls when people choose among titles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from batch.recommend.interactions import Floats
from batch.recommend.metrics import Doubles

STEPS = 30
CLOSE_ENOUGH = 1e-6
CONSTANT = 1e-4
"""A feature that deviates by less from its mean was the same for all."""


@dataclass(frozen=True, slots=True)
class Example:
    """What some profiles could choose from, and what they chose."""

    features: Floats
    """Profiles × titles × features."""
    open: Floats
    """1 for titles that could be chosen: not watched before."""
    chosen: Floats
    """1 for those that were; at least one a profile."""


@dataclass(frozen=True, slots=True)
class Pull:
    """Weights for features brought to mean 0 and deviation 1."""

    mean: Doubles
    deviation: Doubles
    weights: Doubles

    def scores(self, features: Floats) -> Floats:
        """Differences of two titles' scores are log odds of choosing one over the other."""
        per_unit = self.weights / self.deviation
        return (features @ per_unit.astype(np.float32)) - np.float32(self.mean @ per_unit)


def learn(examples: Sequence[Example], l2: float) -> Pull:
    """The weights that make the choices likeliest; every profile counts once, ``l2`` (in profiles) holds them small.

    The loss is convex and has few weights, so Newton's method finds its only minimum in some ten steps.
    """
    mean = np.mean([example.features.mean((0, 1), dtype=np.float64) for example in examples], axis=0)
    deviation = np.mean([example.features.std((0, 1), dtype=np.float64) for example in examples], axis=0)
    deviation[deviation < CONSTANT] = 1  # or rounding errors would teach, and weigh a million times as much later
    scaled = [((example.features - mean) / deviation).astype(np.float32) for example in examples]
    weights = np.zeros(len(mean))
    loss, slope, curve = _loss(scaled, examples, weights, l2)
    for _ in range(STEPS):
        step = np.linalg.solve(curve, slope)
        while (found := _loss(scaled, examples, weights - step, l2))[0] > loss:
            step /= 2  # far from the minimum a whole step may go beyond it
        weights, gain = weights - step, loss - found[0]
        loss, slope, curve = found
        if gain < CLOSE_ENOUGH * loss:
            break
    return Pull(mean, deviation, weights)


def _loss(
    scaled: Sequence[Floats], examples: Sequence[Example], weights: Doubles, l2: float
) -> tuple[float, Doubles, Doubles]:
    """Loss, slope and curvature: over profiles, the cross entropy between what was chosen and what is expected."""
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
