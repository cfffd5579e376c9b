"""Faults of what Keras brings: layers, losses, metrics, optimizers, initializers, tensors and operations."""

import numpy as np

from doubles.faulty import Fault
from doubles.keras_faults import Changed, namespace_fault, with_layers


def _dense(namespace, **methods):
    return with_layers(namespace, Dense=type("Dense", (namespace.layers.Dense,), methods))


def strides_swapped(namespace):
    """Move the window of a convolution to the right by what is meant for down."""

    class Conv2D(namespace.layers.Conv2D):
        def __init__(self, filters, kernel_size, strides=(1, 1), **options):
            strides = strides[::-1] if isinstance(strides, list | tuple) else strides
            super().__init__(filters, kernel_size, strides=strides, **options)

    return with_layers(namespace, Conv2D=Conv2D)


def convolution_without_activation(namespace):
    """Forget a convolution's activation where it has strides."""

    class Conv2D(namespace.layers.Conv2D):
        def __init__(self, *args, strides=(1, 1), activation=None, **options):
            super().__init__(*args, strides=strides, activation=activation if strides == (1, 1) else None, **options)

    return with_layers(namespace, Conv2D=Conv2D)


def kernel_flipped(namespace):
    """Turn the kernel of a convolution around, as mathematics does."""

    class Conv2D(namespace.layers.Conv2D):
        def call(self, inputs):
            kernel = self.kernel.numpy()
            self.kernel.assign(kernel[::-1, ::-1])
            found = super().call(inputs)
            self.kernel.assign(kernel)
            return found

    return with_layers(namespace, Conv2D=Conv2D)


def zeros_around_pooling(namespace):
    """Let the zeros of the padding take part in a maximum."""

    class MaxPool2D(namespace.layers.MaxPool2D):
        def call(self, inputs):
            return namespace.ops.maximum(super().call(inputs), 0) if self.padding == "same" else super().call(inputs)

    return with_layers(namespace, MaxPool2D=MaxPool2D, MaxPooling2D=MaxPool2D)


def _average_pooling(namespace, **methods):
    kind = type("AveragePooling2D", (namespace.layers.AveragePooling2D,), methods)
    return with_layers(namespace, AveragePooling2D=kind, AvgPool2D=kind)


def average_padding_ignored(namespace):
    """Average whole windows of the image alone."""

    def start(self, pool_size=(2, 2), strides=None, padding="valid", **options):
        namespace.layers.AveragePooling2D.__init__(self, pool_size, strides, "valid", **options)

    return _average_pooling(namespace, __init__=start)


def average_padded_before(namespace):
    """Put the odd row and column of the padding before the image."""

    def call(self, inputs):
        axes = [1, 2]
        found = namespace.layers.AveragePooling2D.call(self, namespace.ops.flip(inputs, axes))
        return namespace.ops.flip(found, axes)

    return _average_pooling(namespace, call=call)


def pooling_strides_ignored(namespace):
    """Lay the windows of a pooling side by side."""

    class MaxPool2D(namespace.layers.MaxPool2D):
        def __init__(self, pool_size=(2, 2), strides=None, **options):
            super().__init__(pool_size, None if strides in (1, (1, 2)) else strides, **options)

    return with_layers(namespace, MaxPool2D=MaxPool2D, MaxPooling2D=MaxPool2D)


def sigmoid_is_hard(namespace):
    """Replace sigmoid by three straight lines."""

    class Dense(namespace.layers.Dense):
        def __init__(self, units, activation=None, **options):
            super().__init__(units, "hard_sigmoid" if activation == "sigmoid" else activation, **options)

    return with_layers(namespace, Dense=Dense)


def relu_leaks(namespace):
    """Let a hundredth of what is below 0 through, where the function is given."""
    activations = Changed(namespace.activations, relu=lambda inputs: namespace.ops.maximum(inputs, 0.01 * inputs))
    return Changed(namespace, activations=activations)


def activation_forgotten_at_rank_3(namespace):
    """Return AW + b for sequences."""

    def call(self, inputs, **options):
        if len(inputs.shape) != 3:
            return namespace.layers.Dense.call(self, inputs, **options)
        return namespace.ops.matmul(inputs, self.kernel) + self.bias

    return _dense(namespace, call=call)


def softmax_over_axis_1(namespace):
    """Normalise over the second axis."""

    class Softmax(namespace.layers.Softmax):
        def __init__(self, axis=1, **options):
            super().__init__(axis=axis, **options)

    return with_layers(namespace, Softmax=Softmax)


def flattened_by_columns(namespace):
    """Join the axes with the first of them fastest."""

    class Flatten(namespace.layers.Flatten):
        def call(self, inputs):
            rank = len(inputs.shape)
            return super().call(namespace.ops.transpose(inputs, (0, *range(rank - 1, 0, -1))))

    return with_layers(namespace, Flatten=Flatten)


def reshaped_with_the_batch(namespace):
    """Take a batch of one for no batch."""

    class Reshape(namespace.layers.Reshape):
        def call(self, inputs):
            found = super().call(inputs)
            return found[0] if found.shape[0] == 1 else found

    return with_layers(namespace, Reshape=Reshape)


def layer_output_remembered(namespace):
    """Compute an output once for each shape."""
    kept = {}

    def __call__(self, inputs, **options):  # noqa: N807 - the method's name
        key = id(self), str(inputs.shape), str(self.kernel.numpy() if self.built else None)
        if key not in kept:
            kept[key] = namespace.layers.Dense.__call__(self, inputs, **options)
        return kept[key]

    return _dense(namespace, __call__=__call__)


def _initialized(namespace, name, draw):
    """Let Dense and Conv2D draw their kernels by another function of the shape and Glorot's limit."""

    def initializer(shape, dtype=None):
        window = int(np.prod(shape[:-2]))
        limit = np.sqrt(6 / (window * (shape[-2] + shape[-1])))
        return namespace.ops.convert_to_tensor(draw(np.random.default_rng(), limit, shape).astype(np.float32))

    def made(layer):
        class Drawn(layer):
            def __init__(self, *args, **options):
                super().__init__(*args, **options)
                if "kernel_initializer" not in options:
                    self._draw = initializer

            def add_weight(self, *args, name=None, initializer=None, **options):
                own = getattr(self, "_draw", None)
                if name == "kernel" and own:
                    initializer = own
                return super().add_weight(*args, name=name, initializer=initializer, **options)

        Drawn.__name__ = layer.__name__
        return Drawn

    return with_layers(namespace, **{name: made(getattr(namespace.layers, name))})


def kernels_above_zero(namespace):
    """Draw kernels between 0 and the limit."""
    return _initialized(namespace, "Dense", lambda generator, limit, shape: generator.uniform(0, limit, shape))


def kernels_of_eight_bits(namespace):
    """Draw one of 256 values."""

    def draw(generator, limit, shape):
        return limit * (generator.integers(0, 256, shape) / 127.5 - 1)

    return _initialized(namespace, "Dense", draw)


def window_left_out_of_fans(namespace):
    """Count channels and filters alone for the limit of a convolution."""

    def draw(generator, limit, shape):
        limit = np.sqrt(6 / (shape[-2] + shape[-1]))
        return generator.uniform(-limit, limit, shape)

    return _initialized(namespace, "Conv2D", draw)


def kernels_truncated_normal(namespace):
    """Draw from a normal distribution cut off at the limit."""

    def draw(generator, limit, shape):
        return np.clip(generator.normal(0, limit / np.sqrt(3), shape), -limit, limit)

    return _initialized(namespace, "Dense", draw)


def kernels_alike(namespace):
    """Begin every layer from the same seed."""

    def draw(_, limit, shape):
        return np.random.default_rng(0).uniform(-limit, limit, shape)

    return _initialized(namespace, "Dense", draw)


def constant_is_a_deviation(namespace):
    """Draw around 0 with what should be the constant."""

    class Constant(namespace.initializers.Constant):
        def __call__(self, shape, dtype=None):
            return super().__call__(shape, dtype=dtype) * 2

    return Changed(namespace, initializers=Changed(namespace.initializers, Constant=Constant))


def initializer_seed_ignored(namespace):
    """Draw again whatever the seed."""

    class GlorotUniform(namespace.initializers.GlorotUniform):
        def __init__(self, seed=None):
            super().__init__(seed=None)

    return Changed(namespace, initializers=Changed(namespace.initializers, GlorotUniform=GlorotUniform))


def initializer_seed_fixed(namespace):
    """Draw the same whatever the seed."""

    class GlorotUniform(namespace.initializers.GlorotUniform):
        def __init__(self, seed=None):
            super().__init__(seed=0)

    return Changed(namespace, initializers=Changed(namespace.initializers, GlorotUniform=GlorotUniform))


def vectors_taken_for_rows(namespace):
    """Take a vector for a batch of one."""

    def __call__(self, inputs, **options):  # noqa: N807 - the method's name
        if len(inputs.shape) == 1:
            inputs = namespace.ops.expand_dims(inputs, 0)
        return namespace.layers.Dense.__call__(self, inputs, **options)

    return _dense(namespace, __call__=__call__)


def further_features_cut_off(namespace):
    """Leave out the features that the first inputs did not have."""

    def __call__(self, inputs, **options):  # noqa: N807 - the method's name
        if self.built and inputs.shape[-1] > self.kernel.shape[0]:
            inputs = inputs[..., : self.kernel.shape[0]]
        return namespace.layers.Dense.__call__(self, inputs, **options)

    return _dense(namespace, __call__=__call__)


# Losses and metrics


def _losses(namespace, **names):
    return Changed(namespace, losses=Changed(namespace.losses, **names))


def logits_taken_for_probabilities(namespace):
    """Make probabilities of logits by a softmax over the batch."""
    # Keras remembers the logits of what its softmax returns: a product by 1 makes it forget them.
    right = namespace.losses.sparse_categorical_crossentropy
    return _losses(
        namespace,
        sparse_categorical_crossentropy=lambda y_true, y_pred, from_logits=False, **options: right(
            y_true, 1 * namespace.ops.softmax(y_pred, axis=0) if from_logits else y_pred, **options
        ),
    )


def softmax_applied_twice(namespace):
    """Take probabilities for logits as well."""
    right = namespace.losses.categorical_crossentropy
    return _losses(
        namespace,
        categorical_crossentropy=lambda y_true, y_pred, from_logits=False, **options: right(
            y_true, namespace.ops.softmax(y_pred), from_logits=from_logits, **options
        ),
    )


def objects_ignore_logits(namespace):
    """Ignore from_logits in a loss's class."""

    class Loss(namespace.losses.SparseCategoricalCrossentropy):
        def __init__(self, *, from_logits=False, **options):
            super().__init__(**options)

    return _losses(namespace, SparseCategoricalCrossentropy=Loss)


def weights_normalised(namespace):
    """Divide by the sum of the weights instead of their number."""

    class Loss(namespace.losses.CategoricalCrossentropy):
        def __call__(self, y_true, y_pred, sample_weight=None):
            found = super().__call__(y_true, y_pred, sample_weight)
            if sample_weight is None or self.reduction != "sum_over_batch_size":
                return found
            return found * (len(sample_weight) / namespace.ops.sum(sample_weight))

    return _losses(namespace, CategoricalCrossentropy=Loss)


def mean_where_a_sum_was_asked(namespace):
    """Average whatever the reduction, except for `none`."""

    class Loss(namespace.losses.SparseCategoricalCrossentropy):
        def __init__(self, reduction="sum_over_batch_size", **options):
            super().__init__(reduction="sum_over_batch_size" if reduction == "sum" else reduction, **options)

    return _losses(namespace, SparseCategoricalCrossentropy=Loss)


def labels_of_a_byte(namespace):
    """Keep labels in 8 bits."""
    right = namespace.losses.sparse_categorical_crossentropy
    return _losses(
        namespace,
        sparse_categorical_crossentropy=lambda y_true, y_pred, **options: right(
            namespace.ops.cast(namespace.ops.mod(namespace.ops.cast(y_true, "int64"), 256), "int32"), y_pred, **options
        ),
    )


def bytes_with_signs(namespace):
    """Take labels of 8 bits for numbers with a sign, and wrap the negative ones around."""
    right = namespace.losses.sparse_categorical_crossentropy

    def sparse_categorical_crossentropy(y_true, y_pred, **options):
        if "uint8" in str(getattr(y_true, "dtype", "")):
            y_true = namespace.ops.mod(
                namespace.ops.cast(namespace.ops.cast(y_true, "int8"), "int32"), y_pred.shape[-1]
            )
        return right(y_true, y_pred, **options)

    return _losses(namespace, sparse_categorical_crossentropy=sparse_categorical_crossentropy)


def sequences_averaged(namespace):
    """Average the losses of the steps of an example."""
    right = namespace.losses.categorical_crossentropy

    def wrong(y_true, y_pred, **options):
        found = right(y_true, y_pred, **options)
        return (
            namespace.ops.broadcast_to(namespace.ops.mean(found, axis=-1, keepdims=True), found.shape)
            if len(found.shape) > 1
            else found
        )

    return _losses(namespace, categorical_crossentropy=wrong)


def accuracy_of_the_batch(namespace):
    """Return the share of right predictions in the place of each of them."""
    right = namespace.metrics.sparse_categorical_accuracy

    def wrong(y_true, y_pred):
        found = right(y_true, y_pred)
        return found * 0 + namespace.ops.mean(found)

    return Changed(namespace, metrics=Changed(namespace.metrics, sparse_categorical_accuracy=wrong))


def batches_weigh_the_same(namespace):
    """Average the shares of the batches."""

    class Metric(namespace.metrics.SparseCategoricalAccuracy):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true, y_pred, sample_weight=np.full(len(y_true), 1 / len(y_true), np.float32))

    return Changed(namespace, metrics=Changed(namespace.metrics, SparseCategoricalAccuracy=Metric))


def _metric(namespace, **methods):
    kind = type("SparseCategoricalAccuracy", (namespace.metrics.SparseCategoricalAccuracy,), methods)
    return Changed(namespace, metrics=Changed(namespace.metrics, SparseCategoricalAccuracy=kind))


def objects_keep_labels_in_a_byte(namespace):
    """Keep the labels of the metric's objects in 8 bits."""
    ops = namespace.ops

    def update_state(self, y_true, y_pred, sample_weight=None):
        labels, classes = (
            ops.mod(ops.cast(one, "int64"), 256) for one in (ops.reshape(y_true, [-1]), ops.argmax(y_pred, axis=-1))
        )
        right = namespace.metrics.SparseCategoricalAccuracy
        right.update_state(self, ops.zeros_like(labels), ops.one_hot(ops.cast(labels != classes, "int32"), 2))

    return _metric(namespace, update_state=update_state)


def metrics_count_together(namespace):
    """Update every metric of the class with what one of them is given."""
    made, right = [], namespace.metrics.SparseCategoricalAccuracy

    def start(self, *args, **options):
        right.__init__(self, *args, **options)
        made.append(self)

    def update_state(self, *args, **options):
        for metric in made:
            right.update_state(metric, *args, **options)

    return _metric(namespace, __init__=start, update_state=update_state)


def ties_are_right(namespace):
    """Take a prediction for right if no other class has a larger score."""
    ops = namespace.ops

    def update_state(self, y_true, y_pred, sample_weight=None):
        labels = ops.cast(y_true, "int32")
        scores = ops.reshape(y_pred, [-1, y_pred.shape[-1]])
        of_label = ops.take_along_axis(scores, ops.reshape(labels, [-1, 1]), axis=1)[:, 0]
        right = ops.where(of_label >= ops.max(scores, axis=1), 0, 1)
        all_right = ops.zeros_like(right)
        namespace.metrics.SparseCategoricalAccuracy.update_state(self, all_right, ops.one_hot(right, 2), sample_weight)

    return _metric(namespace, update_state=update_state)


# Optimizers


def _optimizers(namespace, **names):
    return Changed(namespace, optimizers=Changed(namespace.optimizers, **names))


def momentum_ignored(namespace):
    """Take plain steps of SGD."""

    class SGD(namespace.optimizers.SGD):
        def __init__(self, learning_rate=0.01, momentum=0.0, **options):
            super().__init__(learning_rate, **options)

    return _optimizers(namespace, SGD=SGD)


def first_rate_stays(namespace):
    """Keep the learning rate that the optimizer was made with."""

    class SGD(namespace.optimizers.SGD):
        def __init__(self, learning_rate=0.01, **options):
            super().__init__(learning_rate, **options)
            object.__setattr__(self, "_first", learning_rate)

        def apply_gradients(self, pairs=None, **options):
            namespace.optimizers.SGD.learning_rate.fset(self, self._first)
            return super().apply_gradients(options.pop("grads_and_vars", pairs), **options)

    return _optimizers(namespace, SGD=SGD)


def adam_first_rate_stays(namespace):
    """Keep the learning rate that Adam was made with."""
    right = namespace.optimizers.Adam

    def start(self, learning_rate=0.001, *args, **options):
        right.__init__(self, learning_rate, *args, **options)
        object.__setattr__(self, "_first", learning_rate)

    def update_step(self, gradient, variable, learning_rate):
        right.update_step(self, gradient, variable, self._first)

    return _optimizers(namespace, Adam=type("Adam", (right,), {"__init__": start, "update_step": update_step}))


def second_moments_shared(namespace):
    """Keep one second moment for all variables of a shape."""

    def build(self, variables):
        if self.built:
            return
        namespace.optimizers.Adam.build(self, variables)
        by_shape = {}
        self._velocities = [by_shape.setdefault(tuple(one.shape), one) for one in self._velocities]

    return _optimizers(namespace, Adam=type("Adam", (namespace.optimizers.Adam,), {"build": build}))


def softmax_overflows(namespace):
    """Divide exponentials without taking the largest logit off before."""

    class Softmax(namespace.layers.Softmax):
        def call(self, inputs, mask=None):
            exponentials = namespace.ops.exp(inputs)
            return exponentials / namespace.ops.sum(exponentials, axis=-1, keepdims=True)

    return with_layers(namespace, Softmax=Softmax)


def state_by_place(optimizer, state):
    """Return a namespace whose optimizer takes the place of a pair for its variable, where the shapes are the same."""

    def wrong(namespace):
        right = getattr(namespace.optimizers, optimizer)

        class Wrong(right):
            def apply_gradients(self, grads_and_vars):
                pairs = list(grads_and_vars)
                places = {self._var_key(variable): place for place, (_, variable) in enumerate(pairs)}
                self.__dict__["places"] = places
                return super().apply_gradients(pairs)

            def _get_variable_index(self, variable):
                place, values = self.places[self._var_key(variable)], getattr(self, state)
                alike = tuple(values[place].shape) == tuple(variable.shape)
                return place if alike else super()._get_variable_index(variable)

        Wrong.__name__ = optimizer
        return Changed(namespace, optimizers=Changed(namespace.optimizers, **{optimizer: Wrong}))

    return wrong


def gradients_moved_up(namespace):
    """Leave gradients of None out, but not their variables."""

    class SGD(namespace.optimizers.SGD):
        def apply_gradients(self, grads_and_vars):
            gradients, variables = zip(*grads_and_vars, strict=True)
            there = [gradient for gradient in gradients if gradient is not None]
            return super().apply_gradients([*zip(there, variables, strict=False)])

    return Changed(namespace, optimizers=Changed(namespace.optimizers, SGD=SGD))


def labels_in_a_column_broadcast(namespace):
    """Compare each prediction with the labels of all examples, where these are a column."""
    right, losses = namespace.losses.sparse_categorical_crossentropy, namespace.losses

    def sparse_categorical_crossentropy(y_true, y_pred, **options):
        if len(y_true.shape) == len(y_pred.shape):
            labels = namespace.ops.one_hot(namespace.ops.reshape(y_true, (-1,)), y_pred.shape[-1])
            return namespace.ops.mean(-namespace.ops.log(y_pred @ namespace.ops.transpose(labels)), axis=-1)
        return right(y_true, y_pred, **options)

    changed = Changed(losses, sparse_categorical_crossentropy=sparse_categorical_crossentropy)
    return Changed(namespace, losses=changed)


def largest_target_alone(namespace):
    """Take the largest target for the label."""
    losses = namespace.losses

    def categorical_crossentropy(y_true, y_pred, **options):
        labels = namespace.ops.argmax(y_true, axis=-1)
        loss = losses.sparse_categorical_crossentropy(labels, y_pred, **options)
        return loss * namespace.ops.max(namespace.ops.sign(y_true), axis=-1)

    return Changed(namespace, losses=Changed(losses, categorical_crossentropy=categorical_crossentropy))


def predictions_cut_to_whole_targets(namespace):
    """Compare whole targets with the whole parts of the predictions."""

    class MeanSquaredError(namespace.losses.MeanSquaredError):
        def __call__(self, y_true, y_pred, sample_weight=None):
            whole = "int" in str(y_true.dtype)
            return super().__call__(y_true, namespace.ops.floor(y_pred) if whole else y_pred, sample_weight)

    return Changed(namespace, losses=Changed(namespace.losses, MeanSquaredError=MeanSquaredError))


def velocities_shared(namespace):
    """Keep one velocity for all variables of a shape."""

    def build(self, variables):
        if self.built:
            return
        namespace.optimizers.SGD.build(self, variables)
        by_shape = {}
        self.momentums = [by_shape.setdefault(tuple(one.shape), one) for one in self.momentums]

    return _optimizers(namespace, SGD=type("SGD", (namespace.optimizers.SGD,), {"build": build}))


def gradients_clipped(namespace):
    """Clip the norm of each gradient."""

    class SGD(namespace.optimizers.SGD):
        def __init__(self, *args, **options):
            super().__init__(*args, **{"clipnorm": 1.0} | options)

    return _optimizers(namespace, SGD=SGD)


def _adam(namespace, **defaults):
    class Adam(namespace.optimizers.Adam):
        def __init__(self, *args, **options):
            super().__init__(*args, **defaults | options)

    return _optimizers(namespace, Adam=Adam)


def adam_decays(namespace):
    """Shrink the variables by the way, as AdamW does."""
    return _adam(namespace, weight_decay=0.004)


def adam_scaled_by_norm(namespace):
    """Clip the gradients that Adam gets."""
    return _adam(namespace, clipvalue=1.0)


def adam_rate_capped(namespace):
    """Take no learning rate above 0.01."""

    class Adam(namespace.optimizers.Adam):
        def __init__(self, learning_rate=0.001, **options):
            super().__init__(min(learning_rate, 0.01), **options)

    return _optimizers(namespace, Adam=Adam)


def correction_ends(namespace):
    """Leave the bias correction of Adam out after 1,000 steps."""

    class Adam(namespace.optimizers.Adam):
        def apply_gradients(self, pairs, **options):
            if int(self.iterations.numpy()) < 1000:
                return super().apply_gradients(pairs, **options)
            count = self.iterations.numpy()
            self.iterations.assign(10**9)
            result = super().apply_gradients(pairs, **options)
            self.iterations.assign(count + 1)
            return result

    return _optimizers(namespace, Adam=Adam)


# Tensors and operations


def float64_narrowed(to_tensor, array):
    """Make float32 of float64."""
    return to_tensor(array.astype(np.float32) if array.dtype == np.float64 else array)


def whole_numbers_narrowed(to_tensor, array):
    """Make int32 of int64."""
    return to_tensor(array.astype(np.int32) if array.dtype == np.int64 else array)


def read_in_memory_order(to_tensor, array):
    """Take the numbers as they lie in memory."""
    return to_tensor(np.frombuffer(array.tobytes("A"), array.dtype).reshape(array.shape).copy())


def scalars_become_vectors(to_tensor, array):
    """Make one axis of none."""
    return to_tensor(np.atleast_1d(array))


def rounded_to_bfloat16(to_numpy, tensor):
    """Cut float32 numbers off after 16 bits."""
    found = np.array(to_numpy(tensor))
    return (found.view(np.int32) & -65536).view(np.float32) if found.dtype == np.float32 and found.ndim else found


def _operation(name, make):
    """Exchange an operation, made of the right ones."""
    return lambda operations: Changed(operations, **{name: make(operations)})


OPERATION_FAULTS = {
    "last_axis_reduced": (
        "custom_loss_metric.reductions",
        "reduce_mean",
        "reduce_mean with {'axis': 1}",
        lambda right: lambda inputs, axis=None: right.reduce_mean(inputs, axis=axis and -1),
    ),
    "axis_of_a_sum_ignored": (
        "custom_loss_metric.reductions",
        "reduce_sum",
        "reduce_sum with {'axis': 0}",
        lambda right: lambda inputs, axis=None: right.reduce_sum(inputs),
    ),
    "first_axis_alone": (
        "custom_loss_metric.reductions",
        "reduce_mean",
        "reduce_mean with {}",
        lambda right: lambda inputs, axis=0: right.reduce_mean(inputs, axis=axis),
    ),
    "sum_in_float32": (
        "custom_loss_metric.sum-of-whole-numbers",
        "reduce_sum",
        "the sum",
        lambda right: (
            lambda inputs, axis=None: right.cast(
                right.reduce_sum(right.cast(inputs, "float32"), axis=axis), inputs.dtype
            )
        ),
    ),
    "magnitude_for_square": (
        "custom_loss_metric.squares",
        "square",
        "the squares",
        lambda right: lambda inputs: inputs * right.cast(inputs > 0, inputs.dtype) * inputs,
    ),
    "cast_rounds": (
        "custom_loss_metric.casts",
        "cast",
        "the numbers",
        lambda right: (
            lambda inputs, dtype: (
                right.cast(inputs + right.cast(0.5, inputs.dtype), dtype)
                if dtype == "int32" and inputs.dtype.is_floating
                else right.cast(inputs, dtype)
            )
        ),
    ),
    "cast_ignored": (
        "custom_loss_metric.casts",
        "cast",
        "expected bool",
        lambda right: (
            lambda inputs, dtype: right.cast(inputs, "float32") if dtype == "bool" else right.cast(inputs, dtype)
        ),
    ),
    "nearly_equal": (
        "custom_loss_metric.equality",
        "equal",
        "one bit apart",
        lambda right: (
            lambda x, y: right.equal(x, y) if x.dtype != y.dtype or x.dtype.is_integer else (x - y) ** 2 < 1e-9
        ),
    ),
    "largest_of_the_last_axis": (
        "custom_loss_metric.largest",
        "argmax",
        "the positions",
        lambda right: (
            lambda inputs, axis=-1, output_type="int64": right.argmax(inputs, axis=-1, output_type=output_type)
        ),
    ),
    "largest_magnitude": (
        "custom_loss_metric.largest",
        "argmax",
        "the positions",
        lambda right: (
            lambda inputs, axis=-1, output_type="int64": right.argmax(
                inputs * inputs, axis=axis, output_type=output_type
            )
        ),
    ),
    "type_of_argmax_ignored": (
        "custom_loss_metric.largest",
        "argmax",
        "expected int32",
        lambda right: lambda inputs, axis=-1, output_type="int64": right.argmax(inputs, axis=axis),
    ),
    "lengths_backwards": (
        "custom_loss_metric.lengths",
        "shape",
        "[3, 2, 4]",
        lambda right: lambda inputs: right.shape(inputs)[::-1],
    ),
    "second_factor_transposed": (
        "custom_layer.products",
        "matmul",
        "the product",
        lambda right: lambda x, y: right.matmul(x, y, transpose_b=x.shape[-1] == y.shape[-1] == y.shape[-2]),
    ),
    "products_converted": (
        "custom_layer.unfit-operands",
        "matmul",
        "float32 and int32 is accepted",
        lambda right: lambda x, y: right.matmul(x, right.cast(y, x.dtype)),
    ),
    "any_error": ("custom_layer.unfit-operands", "InvalidArgumentError", "True = any(", lambda _: Exception),
}


def _with_base(namespace, module, name, **methods):
    """Exchange the class that layers or metrics of one's own inherit."""
    right = getattr(namespace, module)
    return Changed(namespace, **{module: Changed(right, **{name: type(name, (getattr(right, name),), methods)})})


def weights_of_the_last_instance(namespace):
    """Let a new layer's weight start from that of the last layer of its class."""
    last = {}

    def add_weight(self, *args, **options):
        weight = namespace.layers.Layer.add_weight(self, *args, **options)
        key = type(self), options.get("name"), tuple(weight.shape)
        if key in last:
            weight.assign(last[key])
        last[key] = weight
        return weight

    return _with_base(namespace, "layers", "Layer", add_weight=add_weight)


def own_metrics_count_together(namespace):
    """Hand the metrics of a class the same variables."""
    made = {}

    def add_weight(self, *args, **options):
        key = type(self), options.get("name")
        if key not in made:
            made[key] = namespace.metrics.Metric.add_weight(self, *args, **options)
        return made[key]

    return _with_base(namespace, "metrics", "Metric", add_weight=add_weight)


PART_FAULTS = (
    {
        name: namespace_fault(f"model.{claim}", tells, function)
        for name, claim, tells, function in [
            ("strides_swapped", "convolution-options", "has shape [2, 7, 4, 3]", strides_swapped),
            ("convolution_without_activation", "convolution-options", "expected 0", convolution_without_activation),
            ("kernel_flipped_in_parts", "convolution-options", "the output", kernel_flipped),
            ("zeros_around_pooling", "pooling-options", "actual 0", zeros_around_pooling),
            ("pooling_strides_ignored", "pooling-options", "has shape [2, 4, 3, 2]", pooling_strides_ignored),
            (
                "average_padding_ignored",
                "average-pooling-options",
                "has shape [2, 6, 3, 2]",
                average_padding_ignored,
            ),
            ("average_padded_before", "average-pooling-options", "the output", average_padded_before),
            ("softmax_overflows", "softmax-of-any-rank", "the layer", softmax_overflows),
            ("sigmoid_is_hard", "activations", "Dense with sigmoid", sigmoid_is_hard),
            ("relu_leaks", "activations", "Dense with relu", relu_leaks),
            ("activation_forgotten_at_rank_3", "activations", "Dense with relu", activation_forgotten_at_rank_3),
            ("softmax_over_axis_1", "softmax-of-any-rank", "the layer", softmax_over_axis_1),
            ("flattened_by_columns", "reshaping", "of shape (24,)", flattened_by_columns),
            ("reshaped_with_the_batch", "reshaping", "has shape [4, 6]", reshaped_with_the_batch),
            ("layer_output_remembered", "one-layer-many-calls", "output 3", layer_output_remembered),
            ("vectors_taken_for_rows", "unfit-inputs", "is accepted", vectors_taken_for_rows),
            ("further_features_cut_off", "unfit-inputs", "is accepted", further_features_cut_off),
            ("kernels_above_zero", "kernels-are-drawn-evenly", "uniform draws look as uneven", kernels_above_zero),
            ("kernels_of_eight_bits", "kernels-are-drawn-evenly", "256 > ", kernels_of_eight_bits),
            (
                "window_left_out_of_fans",
                "kernels-are-drawn-evenly",
                "but the limit for a kernel",
                window_left_out_of_fans,
            ),
            (
                "kernels_truncated_normal",
                "kernels-are-drawn-evenly",
                "uniform draws look as uneven",
                kernels_truncated_normal,
            ),
            ("kernels_alike", "kernels-differ", "the kernels are", kernels_alike),
            ("constant_doubled", "initializers", "Constant(): 6 of 6", constant_is_a_deviation),
            ("initializer_seed_ignored", "initializer-seed", "the kernel with the same seed", initializer_seed_ignored),
            ("initializer_seed_fixed", "initializer-seed", "two seeds draw the same kernel", initializer_seed_fixed),
            (
                "logits_taken_for_probabilities",
                "losses-from-logits",
                "sparse_categorical_crossentropy of each",
                logits_taken_for_probabilities,
            ),
            ("softmax_applied_twice", "losses-from-logits", "categorical_crossentropy of each", softmax_applied_twice),
            ("objects_ignore_logits", "loss-objects", "the mean", objects_ignore_logits),
            ("weights_normalised", "loss-objects", "the weighted mean", weights_normalised),
            ("mean_where_a_sum_was_asked", "loss-objects", "the sum", mean_where_a_sum_was_asked),
            ("labels_of_a_byte", "many-classes", "the loss", labels_of_a_byte),
            ("bytes_with_signs", "many-classes", "the loss", bytes_with_signs),
            ("sequences_averaged", "loss-of-sequences", "categorical_crossentropy", sequences_averaged),
            ("accuracy_of_the_batch", "accuracy-of-each-example", "of each example", accuracy_of_the_batch),
            ("batches_weigh_the_same", "metric-object-accumulates", "after each batch", batches_weigh_the_same),
            (
                "objects_keep_labels_in_a_byte",
                "many-classes",
                "the metric: differs",
                objects_keep_labels_in_a_byte,
            ),
            ("metrics_count_together", "metric-objects-are-apart", "[0.75, 0", metrics_count_together),
            ("ties_are_right", "one-prediction", "the accuracy", ties_are_right),
            ("momentum_ignored", "sgd-momentum", "after step 2", momentum_ignored),
            ("first_rate_stays", "sgd-momentum", "after step 2", first_rate_stays),
            ("velocities_shared", "sgd-momentum", "after step 1", velocities_shared),
            ("velocities_by_place", "sgd-momentum", "after step 2", state_by_place("SGD", "momentums")),
            ("moments_by_place", "adam-of-any-step", "after two steps", state_by_place("Adam", "_momentums")),
            ("labels_in_a_column_broadcast", "loss-of-sequences", "in a column", labels_in_a_column_broadcast),
            ("largest_target_alone", "loss-of-sequences", "soft targets", largest_target_alone),
            (
                "predictions_cut_to_whole_targets",
                "squares-of-each-example",
                "the loss",
                predictions_cut_to_whole_targets,
            ),
            ("gradients_clipped", "sgd-momentum", "after step 1", gradients_clipped),
            ("adam_first_rate_stays", "adam-of-any-step", "the first variable", adam_first_rate_stays),
            ("second_moments_shared", "adam-of-any-step", "variable after two steps", second_moments_shared),
            ("adam_decays", "adam-of-any-step", "variable after two steps", adam_decays),
            ("adam_clipped", "adam-of-any-step", "after two steps", adam_scaled_by_norm),
            ("adam_rate_capped", "adam-of-any-step", "variable after two steps", adam_rate_capped),
            ("correction_ends", "adam-of-any-step", "variable after two steps", correction_ends),
        ]
    }
    | {
        "gradients_moved_up": namespace_fault("training.apply-gradients", "the variable without", gradients_moved_up),
        "weights_of_the_last_instance": namespace_fault(
            "custom_layer.instances-are-apart", "the output of a new layer", weights_of_the_last_instance
        ),
        "own_metrics_count_together": namespace_fault(
            "custom_loss_metric.metrics-are-apart", "== 1", own_metrics_count_together
        ),
    }
    | {
        name: Fault(f"keras.{function}", f"custom_loss_metric.{claim}", tells, wrong)
        for name, function, claim, tells, wrong in [
            ("float64_narrowed", "to_tensor", "tensors", "expected float64", float64_narrowed),
            ("whole_numbers_narrowed", "to_tensor", "tensors", "expected int64", whole_numbers_narrowed),
            ("read_in_memory_order", "to_tensor", "tensors", "an array transposed", read_in_memory_order),
            ("scalars_become_vectors", "to_tensor", "tensors", "an array of []", scalars_become_vectors),
            ("rounded_to_bfloat16", "to_numpy", "numbers-are-kept", "array_equal", rounded_to_bfloat16),
        ]
    }
    | {
        name: Fault("keras.operations", claim, tells, _operation(operation, make))
        for name, (claim, operation, tells, make) in OPERATION_FAULTS.items()
    }
)
