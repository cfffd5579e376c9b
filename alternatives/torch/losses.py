"""Losses of the models: the mean loss of a batch, as a function of the network and the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from assay.alternatives.torch.layers import as_network_takes

if TYPE_CHECKING:
    from collections.abc import Callable

    Function = Callable[[torch.Tensor], torch.Tensor]


def squared_error(predictions_of: Function, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error."""
    return functional.mse_loss(predictions_of(inputs), targets)


def crossentropy(logits_of: Function, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of labels and logits, which is accurate for small probabilities."""
    return functional.cross_entropy(logits_of(as_network_takes(inputs)), labels.long())


def q_loss(
    values_of: Function,
    states: torch.Tensor,
    actions: torch.Tensor,
    rewards: torch.Tensor,
    next_states: torch.Tensor,
    discounts: torch.Tensor,
) -> torch.Tensor:
    """Return the loss of the taken actions' values, with y as the target."""
    values = values_of(as_network_takes(states)).gather(1, actions.long()[:, None])[:, 0]
    return functional.mse_loss(values, td_targets(values_of, rewards, next_states, discounts))


def td_targets(
    values_of: Function, rewards: torch.Tensor, next_states: torch.Tensor, discounts: torch.Tensor
) -> torch.Tensor:
    """Return y of transitions, [n], without gradients.

    Args:
        values_of: Function from states to the values of all actions, [n, actions].
        rewards: [n].
        next_states: [n, ...].
        discounts: Factors of the best next value, [n]; 0 if the episode has failed.

    """
    with torch.no_grad():
        return rewards + discounts * values_of(as_network_takes(next_states)).amax(1)


LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "linear": squared_error,
    "mlp": crossentropy,
    "cnn": crossentropy,
    "rnn": crossentropy,
    "q_network": q_loss,
    "q_cnn": q_loss,
}
