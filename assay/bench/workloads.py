"""Timed workloads: calls through the contract, with a given number of steps.

A call has a cost per step and a fixed cost: converting parameters, building a model. So two calls with different
numbers of steps show the cost of a step, in the loop that the implementation itself runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.bench import flops, peak_rates
from assay.contract import Array, Transitions
from assay.datasets import data
from assay.spec.vectors import read
from assay.testing.thresholds import threshold
from assay.testing.training import mnist_training, text_training

# Runs the steps, and returns their number.
Call = Callable[[], int]
# Function from (number of steps, seed of the inputs) to the call. Preparing the inputs is not timed.
Prepare = Callable[[int, int], Call]
# Seed of numbers that do not affect the cost of a step.
ANY_SEED = 0
# Weights of a linear feedback that balances the pole until the time limit, and of one that lets it fall at once.
BALANCED, FALLING = np.array([0, 0, 1, 1], np.float32), np.array([0, 0, -1, -1], np.float32)


@dataclass(frozen=True)
class Work:
    """A timed workload.

    Attributes:
        name: Name on the command line and in files.
        title: Title for display.
        groups: Groups of functions that it requires of an implementation.
        prepare: Function from an implementation to a function that prepares calls.
        profile: Smallest profile that includes it.
        devices: Devices on which it is timed.

    """

    name: str
    title: str
    groups: tuple[str, ...]
    prepare: Callable[[Any], Prepare]
    profile: Literal["core", "full"] = "core"
    devices: tuple[str, ...] = ("cpu", "gpu")


def _steps(losses: Array, count: int) -> int:
    """Check the results of a training: skipped work must not be timed."""
    if np.shape(losses) != (count,) or not np.isfinite(losses).all():
        msg = f"{count} steps of training gave losses of shape {np.shape(losses)}: {losses}"
        raise NonConformanceError(msg)
    return count


@cache
def _digits() -> mnist_training.Examples:
    # The test set, since each call passes all examples. For the training set that takes longer than many steps.
    mnist = data.mnist(download=False)
    return mnist_training.examples(mnist.x_test, mnist.y_test)


@cache
def _corpus() -> text_training.Corpus:
    return text_training.corpus(data.nietzsche(download=False))


def _recipe(name: str, *without: str) -> dict[str, Any]:
    """Return the document's training recipe, without some of its arguments."""
    return {key: value for key, value in threshold(name).recipe.items() if key not in without}


MLP, CNN = (_recipe(name, "num_batches") for name in ("mlp_five_epochs", "cnn_five_epochs"))
RNN, AGENT = _recipe("rnn_1000_batches", "model", "num_batches"), _recipe("agent", "model", "num_episodes")


def _linear(implementation: Any) -> Prepare:  # noqa: ANN401 - here and below: it declares the groups that it has
    models, known = implementation.models, read("linear_model")
    batch = np.shape(known["X"])
    parameters = models.initial_parameters("linear", ANY_SEED)

    def prepare(count: int, seed: int) -> Call:
        generator = np.random.default_rng(seed)
        inputs = generator.random((count, *batch), np.float32)
        targets = generator.random((count, batch[0], 1), np.float32)
        return lambda: _steps(models.train("linear", parameters, inputs, targets, known["learning_rate"])[0], count)

    return prepare


def _digits_training(recipe: dict[str, Any], implementation: Any) -> Prepare:  # noqa: ANN401
    training, (images, labels) = implementation.training, _digits()

    def prepare(count: int, seed: int) -> Call:
        options = recipe | {"images": images, "labels": labels, "num_batches": count, "seed": seed}
        return lambda: _steps(training.fit(**options)[0], count)

    return prepare


def _digits_inference(recipe: dict[str, Any], implementation: Any) -> Prepare:  # noqa: ANN401
    model, batch_size = recipe["model"], recipe["batch_size"]
    training, (images, labels) = implementation.training, _digits()
    parameters = implementation.models.initial_parameters(model, ANY_SEED)

    def prepare(count: int, seed: int) -> Call:
        places = (seed + np.arange(count * batch_size)) % len(images)
        inputs, targets = images[places], labels[places]

        def evaluate() -> int:
            accuracy = training.evaluate(model, parameters, inputs, targets, batch_size)
            if not 0 <= accuracy <= 1:
                msg = f"the accuracy is {accuracy}"
                raise NonConformanceError(msg)
            return count

        return evaluate

    return prepare


def _rnn_training(implementation: Any) -> Prepare:  # noqa: ANN401
    text, corpus = implementation.text, _corpus()

    def prepare(count: int, seed: int) -> Call:
        options = RNN | {"num_batches": count, "seed": seed}
        return lambda: _steps(text.fit(corpus.indices, corpus.num_chars, **options)[0], count)

    return prepare


def _generation(implementation: Any) -> Prepare:  # noqa: ANN401
    text, corpus, length = implementation.text, _corpus(), RNN["seq_length"]
    brief = RNN | {"num_batches": 1, "seed": ANY_SEED}
    parameters = text.fit(corpus.indices, corpus.num_chars, **brief)[1]

    def prepare(count: int, seed: int) -> Call:
        window = corpus.indices[seed : seed + length]

        def write() -> int:
            written = text.generate(parameters, window, temperature=1.0, count=count, seed=seed)
            if np.shape(written) != (count,):
                msg = f"asked for {count} characters, it gave {np.shape(written)}"
                raise NonConformanceError(msg)
            return count

        return write

    return prepare


def _q_learning(implementation: Any) -> Prepare:  # noqa: ANN401
    agent = implementation.agent
    parameters = implementation.models.initial_parameters("q_network", ANY_SEED)
    options = {key: AGENT[key] for key in ("learning_rate", "gamma")}

    def prepare(count: int, seed: int) -> Call:
        generator, batch = np.random.default_rng(seed), (count, AGENT["batch_size"])
        states, next_states = generator.random((2, *batch, 4), np.float32)
        actions = generator.integers(0, 2, batch, np.int32)
        rewards, dones = np.ones(batch, np.float32), np.zeros(batch, np.float32)
        transitions = Transitions(states, actions, rewards, next_states, dones)
        return lambda: _steps(agent.learn("q_network", parameters, transitions, **options)[0], count)

    return prepare


def _agent(implementation: Any) -> Prepare:  # noqa: ANN401
    agent = implementation.agent

    def prepare(count: int, seed: int) -> Call:
        def learn() -> int:
            losses = agent.fit(**AGENT | {"num_episodes": count, "seed": seed})[1]
            return _steps(losses, len(losses))

        return learn

    return prepare


def _cart_pole(implementation: Any) -> Prepare:  # noqa: ANN401
    environments = implementation.environments

    def prepare(count: int, seed: int) -> Call:
        # A call of one episode has the shortest episode; later episodes have the time limit.
        weights = BALANCED if count > 1 else FALLING
        return lambda: sum(len(environments.run_linear_policy(weights, seed + each).rewards) for each in range(count))

    return prepare


def _mobile_net(implementation: Any) -> Prepare:  # noqa: ANN401
    applications, known = implementation.applications, read("flowers")
    options = {"classes": known["classes"], "learning_rate": known["learning_rate"], "seed": ANY_SEED}

    def prepare(count: int, seed: int) -> Call:
        generator, batch = np.random.default_rng(seed), (count, known["batch_size"])
        images = generator.random((*batch, *known["image_size"], 3), np.float32)
        labels = generator.integers(0, known["classes"], batch, np.int32)
        return lambda: _steps(applications.train(known["network"], images, labels, **options), count)

    return prepare


def _prepare_repetitions(make: Callable[[str, int], peak_rates.Repeat], size: int, implementation: Any) -> Prepare:  # noqa: ANN401
    repeat = make(peak_rates.framework_of(implementation.distributions), size)

    def prepare(count: int, _seed: int) -> Call:
        def work() -> int:
            repeat(count)
            return count

        return work

    return prepare


BATCH, SEQ_LENGTH, LEARNT = MLP["batch_size"], RNN["seq_length"], AGENT["batch_size"]
COSTS = {
    "linear": flops.training("linear", len(read("linear_model")["X"])),
    "mlp": flops.training("mlp", BATCH),
    "cnn": flops.training("cnn", BATCH),
    "rnn": flops.training("rnn", BATCH, SEQ_LENGTH),
    "q_network": flops.learning("q_network", LEARNT),
    "mlp_inference": flops.inference("mlp", BATCH),
    "cnn_inference": flops.inference("cnn", BATCH),
    "generation": flops.writing(SEQ_LENGTH),
}
IMAGES, TEXT, LEARNER = ("training", "models"), ("text",), ("agent", "models")
STEPS = (
    Work("linear", "linear model: a step of training", ("models",), _linear),
    Work("mlp", "MLP: a step of training", IMAGES, partial(_digits_training, MLP)),
    Work("cnn", "CNN: a step of training", IMAGES, partial(_digits_training, CNN)),
    Work("rnn", "RNN: a step of training", TEXT, _rnn_training),
    Work("q_network", "Q-network: a step of training", LEARNER, _q_learning),
    Work("mlp_inference", "MLP: outputs of a batch", IMAGES, partial(_digits_inference, MLP)),
    Work("cnn_inference", "CNN: outputs of a batch", IMAGES, partial(_digits_inference, CNN)),
    Work("generation", "RNN: a character of text", TEXT, _generation),
    Work("agent", "agent: acting and learning", ("agent",), _agent),
    Work("cart_pole", "CartPole: a step of the environment", ("environments",), _cart_pole),
    Work("mobile_net", "MobileNetV2: a step of training", ("applications",), _mobile_net, "full"),
)
# Matrix sizes that keep all CPU cores busy, or the thousands of cores of a GPU.
SIZES = {"cpu": (1024, 2048), "gpu": (4096, 8192)}
# The speed of memory is that of the smallest cache that holds the data.
FOOTPRINTS = tuple(COSTS[name].footprint for name in ("mlp", "rnn", "cnn"))
# Prefixes of the names of these works.
PRODUCT, STREAM = "product", "stream"


def _product(size: int, device: str) -> Work:
    title = f"product of two matrices, {size} by {size}"
    prepare = partial(_prepare_repetitions, peak_rates.make_product, size)
    return Work(f"{PRODUCT}_{size}", title, (), prepare, devices=(device,))


def _stream(footprint: int) -> Work:
    title = f"reading and writing {footprint / 2**20:.2g} MiB"
    return Work(f"{STREAM}_{footprint}", title, (), partial(_prepare_repetitions, peak_rates.make_stream, footprint))


RATES = (
    *(_product(size, device) for device, sizes in SIZES.items() for size in sizes),
    *(_stream(footprint) for footprint in FOOTPRINTS),
)
# What is timed for each work, in this order.
IDS = tuple(f"{work.name}-{what}" for work in (*RATES, *STEPS) for what in ("call", "loop"))
