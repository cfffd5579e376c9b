"""Faults of a Keras written anew: what is decided by the first call, lost in depth, or divided by another number."""

import random

import numpy as np

from doubles.custom_faults import tf
from doubles.faulty import Fault
from doubles.keras_faults import Changed, namespace_fault, with_layers, with_methods


def variables_of_the_first_call(namespace):
    """List the variables that a model has when they are first asked for."""

    class Methods:
        @property
        def variables(self):
            known = self.__dict__.get("known_variables") or super().variables
            if known:
                object.__setattr__(self, "known_variables", known)
            return known

    return with_methods(namespace, Methods)


def mode_lost_in_depth(namespace):
    """Run a model in a model in inference mode, unless its own call says otherwise."""
    models = []

    class Methods:
        def __call__(self, *args, **options):
            models.append(self)
            try:
                return super().__call__(*args, **({"training": False} if len(models) > 1 else {}) | options)
            finally:
                models.pop()

    return with_methods(namespace, Methods)


def inputs_in_order_of_creation(namespace):
    """Take the inputs in the order in which they were made."""

    class Model(namespace.Model):
        def __new__(cls, **tensors):
            if isinstance(tensors.get("inputs"), list):
                tensors["inputs"] = sorted(tensors["inputs"], key=lambda one: (len(one.name), one.name))
            return namespace.Model(**tensors) if tensors else super().__new__(cls)

    return Changed(namespace, Model=Model)


def mean_over_examples(namespace):
    """Divide the sum of all elements by the number of examples."""

    class Loss(namespace.losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):
            found, shape = super().__call__(y_true, y_pred, sample_weight), self.call(y_true, y_pred).shape
            means = self.reduction == "sum_over_batch_size" and len(shape) > 1
            return found * float(np.prod(shape[1:])) if means else found

    return Changed(namespace, losses=Changed(namespace.losses, Loss=Loss))


def scalar_divided_by_examples(namespace):
    """Divide a loss that is one number by how many batches of 32 its examples make."""

    class Loss(namespace.losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):
            found = super().__call__(y_true, y_pred, sample_weight)
            scalar = len(self.call(y_true, y_pred).shape) == 0
            return found / max(1.0, int(y_pred.shape[0]) / 32) if scalar else found

    return Changed(namespace, losses=Changed(namespace.losses, Loss=Loss))


def one_argument_alone(namespace):
    """Pass the first argument to the constructor of a model, and lose the others."""

    class Model(namespace.Model):
        def __init_subclass__(cls):
            super().__init_subclass__()
            start = cls.__init__
            cls.__init__ = lambda self, *args, **options: start(self, *args[:1], **options)

    return Changed(namespace, Model=Model)


def shared_model_runs_once(namespace):
    """Compute a model that is called again in one graph by its first inputs."""

    class Methods:
        def __call__(self, inputs, **options):
            symbolic = isinstance(inputs, type(namespace.Input((1,))))
            found = super().__call__(inputs, **options)
            known = self.__dict__.get("first_output")
            if symbolic and known is not None:
                return known
            if symbolic:
                object.__setattr__(self, "first_output", found)
            return found

    return with_methods(namespace, Methods)


def models_of_one_seed(namespace):
    """Begin each model with the same random numbers."""

    class Methods:
        def __init__(self, *args, **options):
            random.seed(1337)
            super().__init__(*args, **options)

    return with_methods(namespace, Methods)


def batches_exchanged(namespace):
    """Exchange the first batch and the eleventh in what predict gives."""

    class Methods:
        def predict(self, x, batch_size=None, **options):
            found, size = super().predict(x, batch_size=batch_size, **options), batch_size or 32
            if isinstance(found, np.ndarray) and len(found) > 11 * size:
                places = np.arange(len(found))
                places[:size], places[10 * size : 11 * size] = (
                    places[10 * size : 11 * size].copy(),
                    places[:size].copy(),
                )
                found = found[places]
            return found

    return with_methods(namespace, Methods)


def tuples_to_lists(namespace):
    """Return a list where the call of a model returns a tuple."""

    class Methods:
        def __call__(self, *args, **options):
            found = super().__call__(*args, **options)
            return list(found) if isinstance(found, tuple) else found

    return with_methods(namespace, Methods)


def first_batches_of_pipelines(namespace):
    """Evaluate the first eight batches of a pipeline."""

    class Methods:
        def evaluate(self, x, y=None, **options):
            return super().evaluate(x.take(8) if hasattr(x, "take") and y is None else x, y, **options)

    return with_methods(namespace, Methods)


def gradients_end_in_depth(namespace):
    """Pass no gradient through a model that is three models deep."""
    models = []

    class Methods:
        def __call__(self, *args, **options):
            models.append(self)
            try:
                found = super().__call__(*args, **options)
                return tf.stop_gradient(found) if len(models) > 2 and isinstance(found, tf.Tensor) else found
            finally:
                models.pop()

    return with_methods(namespace, Methods)


def images_of_rows_reversed(namespace):
    """Go through the rows of a Dense layer's inputs from the last to the first, where they have rank 4."""

    class Dense(namespace.layers.Dense):
        def call(self, inputs, *arguments, **options):
            return super().call(inputs[:, ::-1] if len(inputs.shape) == 4 else inputs, *arguments, **options)

    return with_layers(namespace, Dense=Dense)


def step_to_build(namespace):
    """Build a model by a step of training."""

    class Methods:
        def fit(self, x, y=None, batch_size=None, **options):
            if not self.built and y is not None:
                self.train_on_batch(x[:batch_size], y[:batch_size])
            return super().fit(x, y, batch_size=batch_size, **options)

    return with_methods(namespace, Methods)


def pipeline_of_live_arrays(_dataset, inputs, targets, batch_size):
    """Read the arrays when the pipeline is read, and not when it is made."""

    def batches():
        for start in range(0, len(targets), batch_size):
            yield inputs[start : start + batch_size], targets[start : start + batch_size]

    forms = tuple(tf.TensorSpec([None, *array.shape[1:]], array.dtype) for array in (inputs, targets))
    return tf.data.Dataset.from_generator(batches, output_signature=forms)


def evaluates_in_half_precision(namespace):
    """Round what evaluate gives to float16."""

    class Methods:
        def evaluate(self, *args, **options):
            found = super().evaluate(*args, **options)
            many = getattr(args[-1], "shape", [0])[0] > 2_048
            return np.float16(found).tolist() if many else found

    return with_methods(namespace, Methods)


def counted_in_half_precision(namespace):
    """Count examples in float16."""

    class SparseCategoricalAccuracy(namespace.metrics.SparseCategoricalAccuracy):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true, y_pred, sample_weight)
            for sums in (self.total, self.count):
                sums.assign(tf.cast(tf.cast(sums.value, "float16"), "float32"))

    changed = Changed(namespace.metrics, SparseCategoricalAccuracy=SparseCategoricalAccuracy)
    return Changed(namespace, metrics=changed)


def epochs_counted_on(namespace):
    """Begin a later fit after as many epochs as the one before had."""

    class Methods:
        def fit(self, *args, epochs=1, **options):
            done = self.__dict__.get("epochs_done", 0)
            self.__dict__["epochs_done"] = epochs
            return super().fit(*args, epochs=epochs, **{"initial_epoch": min(done, epochs - 1)} | options)

    return with_methods(namespace, Methods)


KERAS_CALL_FAULTS = {
    "epochs_counted_on": namespace_fault("compile_fit.steps", "2 epochs, expected 2", epochs_counted_on),
    "variables_of_the_first_call": namespace_fault(
        "model.variables-of-later-calls", "after a call of the second layer", variables_of_the_first_call
    ),
    "mode_lost_in_depth": namespace_fault(
        "training_flag.training-reaches-every-depth", "called with {'training': True}", mode_lost_in_depth
    ),
    "inputs_in_order_of_creation": namespace_fault(
        "sequential_functional.inputs-as-given", "twice the second less the third", inputs_in_order_of_creation
    ),
    "mean_over_examples": namespace_fault(
        "custom_loss_metric.loss-of-elements", "the loss with {}", mean_over_examples
    ),
    "scalar_divided_by_examples": namespace_fault(
        "custom_loss_metric.loss-of-many-examples", "the loss of 33 examples", scalar_divided_by_examples
    ),
    "one_argument_alone": namespace_fault("model.init-arguments", "(2, 4)", one_argument_alone),
    "shared_model_runs_once": namespace_fault(
        "sequential_functional.shared-models", "the output of the shared model for the second", shared_model_runs_once
    ),
    "models_of_one_seed": namespace_fault("model.new-models-differ", "begin with equal kernels", models_of_one_seed),
    "batches_exchanged": namespace_fault("compile_fit.evaluates-many-examples", "predict", batches_exchanged),
    "tuples_to_lists": namespace_fault("model.outputs-as-returned", "a tuple became a list", tuples_to_lists),
    "first_batches_of_pipelines": namespace_fault(
        "compile_fit.pipeline-keeps-pairs", "the loss of evaluate", first_batches_of_pipelines
    ),
    "gradients_end_in_depth": namespace_fault(
        "model.variables-deep", "some layers of nested models", gradients_end_in_depth
    ),
    "images_of_rows_reversed": namespace_fault("model.activations", "Dense with", images_of_rows_reversed),
    "step_to_build": namespace_fault("compile_fit.building-trains-nothing", "the loss of fit", step_to_build),
    "pipeline_of_live_arrays": Fault(
        "keras.dataset", "compile_fit.pipelines-are-apart", "predict of 1 times", pipeline_of_live_arrays
    ),
    "evaluates_in_half_precision": namespace_fault(
        "compile_fit.evaluates-many-examples", "loss and metric", evaluates_in_half_precision
    ),
    "counted_in_half_precision": namespace_fault(
        "custom_loss_metric.metric-of-many-examples", "the metric", counted_in_half_precision
    ),
}
