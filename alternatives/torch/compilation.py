"""Training and inference through `torch.compile`: a whole step, with its optimizer, becomes one function."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

import torch

# The loop is a prototype in PyTorch without a public name.
from torch._higher_order_ops.scan import scan
from torch.func import functional_call, grad_and_value
from torch.utils._pytree import tree_leaves

from assay.alternatives.torch.device import to_array
from assay.alternatives.torch.layers import NETWORKS, as_network_takes
from assay.alternatives.torch.models import Trainer
from assay.alternatives.torch.optimizers import adam, begin, sgd

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.alternatives.torch.optimizers import Tensors
    from assay.contract import Array, ModelName

# The parameters of a network, and what its optimizer has gathered.
State = tuple[Any, Any]

# For these, copying the parameters is faster than calling a function, so all steps are one compiled loop, which copies
# them in each step. Larger networks are updated in place, with a call for each step.
SMALL = {"linear", "q_network"}
# One compilation for each model and batch size.
torch._dynamo.config.recompile_limit = 256  # noqa: SLF001 - where PyTorch documents it
# The loop counts its steps in a tensor.
torch._dynamo.config.capture_scalar_outputs = True  # noqa: SLF001


def trainer(model: ModelName, network: torch.nn.Sequential, learning_rate: float = 0.0) -> Trainer:
    """Return the trainer of a network.

    The RNN is not compiled: `torch.compile` decomposes its LSTM, and the result takes more than twice as long as the
    LSTM of oneDNN.
    """
    kind = Trainer if model == "rnn" else CompiledTrainer
    return kind(model, network, learning_rate)


class CompiledTrainer(Trainer):
    """A network with its own optimizer, whose states are arguments of compiled functions."""

    def __init__(self, model: ModelName, network: torch.nn.Sequential, learning_rate: float = 0.0) -> None:
        """Begin a training."""
        super().__init__(model, network, learning_rate)
        self.functions = functions(model)
        parameters = {name: parameter.detach() for name, parameter in network.named_parameters()}
        self.state: State = parameters, () if model == "linear" else begin(parameters)
        self.rate = torch.tensor(learning_rate)
        self.loops = model in SMALL

    def outputs(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the last layer's output."""
        return self.functions.outputs(self.state[0], inputs)

    @torch.no_grad()
    def gradients(self, *batch: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the mean loss of a batch and its gradient for every parameter."""
        gradients, loss = self.functions.gradients_and_loss(self.state[0], *batch)
        return loss, [*gradients.values()]

    @torch.no_grad()
    def step(self, *batch: torch.Tensor) -> torch.Tensor:
        """Take one step of the optimizer, and return the loss before it."""
        return self.functions.step(self.state, self.rate, *batch)

    @torch.no_grad()
    def train_on(self, *batches: torch.Tensor) -> Array:
        """Take a step with every batch along the first axis of the tensors, and return the losses."""
        if not self.loops or len(batches[0]) == 1:
            return super().train_on(*batches)
        for batch in batches:
            # Compile for any number of steps, not for this one.
            torch._dynamo.mark_dynamic(batch, 0)  # noqa: SLF001
        return to_array(self.functions.steps(self.state, self.rate, *batches))


class Functions:
    """The compiled functions of a model, each compiled on first call; parameters are arguments."""

    def __init__(self, model: ModelName) -> None:
        """Store the model's layers, its loss and its optimizer."""
        self.network = NETWORKS[model]()
        self.eager = Trainer(model, self.network)
        self.descend: Callable[..., State] = sgd if model == "linear" else adam
        self.outputs = compile_function(self._outputs)
        self.gradients_and_loss = compile_function(self._gradients_and_loss)
        self.step = compile_function(self._step)
        self.steps = compile_function(self._steps)

    def _outputs(self, parameters: Tensors, inputs: torch.Tensor) -> torch.Tensor:
        return functional_call(self.network, parameters, as_network_takes(inputs))

    def _gradients_and_loss(self, parameters: Tensors, *batch: torch.Tensor) -> tuple[Tensors, torch.Tensor]:
        def loss(parameters: Tensors) -> torch.Tensor:
            return self.eager.loss(partial(functional_call, self.eager.scores, parameters), *batch)

        return grad_and_value(loss)(parameters)

    def _descend(self, state: State, rate: torch.Tensor, *batch: torch.Tensor) -> tuple[State, torch.Tensor]:
        parameters, gathered = state
        gradients, loss = self._gradients_and_loss(parameters, *batch)
        return self.descend(parameters, gradients, gathered, rate), loss

    def _step(self, state: State, rate: torch.Tensor, *batch: torch.Tensor) -> torch.Tensor:
        after, loss = self._descend(state, rate, *batch)
        overwrite(state, after)
        return loss

    def _steps(self, state: State, rate: torch.Tensor, *batches: torch.Tensor) -> torch.Tensor:
        after, losses = scan(lambda state, batch: self._descend(state, rate, *batch), state, batches)
        overwrite(state, after)
        return losses


def compile_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function once per shapes of its arguments, with autotuning of the kernels for its products.

    The models share these functions' code and its compilations. By default, PyTorch would treat the sizes of layers as
    varying between calls, and compile slower kernels for any size.
    """
    if torch.get_default_device().type == "cuda":
        return torch.compile(function, mode="max-autotune", dynamic=False)
    # The code that calls the kernels is compiled too.
    return torch.compile(function, options={"max_autotune": True, "cpp_wrapper": True}, dynamic=False)


def overwrite(state: State, after: State) -> None:
    """Copy tensors into others."""
    for old, new in zip(tree_leaves(state), tree_leaves(after), strict=True):
        old.copy_(new)


functions = cache(Functions)
