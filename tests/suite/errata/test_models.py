"""Errata of models, layers, and the first programs: lines 1 to 286 of the document."""

import builtins
import inspect

import numpy as np
import pytest

from assay.testing.thresholds import threshold

from .marks import agrees, differs, erratum

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)
A = np.array([[1.0], [-1.0], [2.0]], np.float32)


def model_of(tf, **methods):
    """Make a model of a class with these methods."""
    return type("MyModel", (tf.keras.Model,), methods)()


@erratum("model.optimizers-module")
def test_optimizers_module(tf):
    printed = "optimizer"
    assert not hasattr(tf.keras, printed)
    assert callable(tf.keras.optimizers.SGD)
    assert callable(tf.keras.optimizers.Adam)


@erratum("model.calling")
def test_calling(tf):
    printed = model_of(tf, call=lambda self, inputs: output)  # noqa: F821 - as it is printed
    with pytest.raises(NameError):
        printed(X)
    holds = model_of(tf, call=lambda self, inputs: inputs * 2)
    assert agrees(2 * X, holds(X))


@erratum("model.init-optional")
def test_init_optional(tf):
    printed = {"__init__", "call"}
    model = model_of(tf, call=lambda self, inputs: inputs + 1)
    assert not printed <= vars(type(model)).keys()
    assert agrees(X + 1, model(X))


@erratum("model.call-required")
def test_call_required(tf):
    printed = tf.keras.Model()
    with pytest.raises(NotImplementedError):
        printed(X)
    assert agrees(X, model_of(tf, call=lambda self, inputs: inputs)(X))


@erratum("model.super-init-form")
def test_super_init_form(tf):
    class MyModel(tf.keras.Model):
        def __init__(self):
            super(MyModel, self).__init__()
            self.dense = tf.keras.layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    printed_for = 2
    import sys  # noqa: PLC0415 - of this erratum alone

    assert sys.version_info.major != printed_for
    model = MyModel()
    assert (model(X).shape, len(model.variables)) == ((2, 1), 2)


@erratum("model.layers-are-attributes")
def test_layers_are_attributes(tf):
    class Printed(tf.keras.Model):
        def __init__(self):
            super().__init__()
            layer1 = tf.keras.layers.Dense(1)  # noqa: F841 - as it is printed

        def call(self, inputs):
            return layer1(inputs)  # noqa: F821 - as above

    class Holds(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.layer1 = tf.keras.layers.Dense(1)

        def call(self, inputs):
            return self.layer1(inputs)

    printed, holds = Printed(), Holds()
    with pytest.raises(NameError):
        printed(X)
    assert (holds(X).shape, len(holds.variables)) == ((2, 1), 2)


@erratum("model.other-layers")
def test_other_layers(tf):
    inside, outside = tf.keras.layers.Dense(1), tf.keras.layers.Dense(1)

    class Model(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.inside = inside

        def call(self, inputs):
            return self.inside(inputs) + outside(inputs)

    model = Model()
    model(X)
    printed, holds = len(inside.variables) + len(outside.variables), len(inside.variables)
    assert len(model.variables) != printed
    assert len(model.variables) == holds


@erratum("model.variables-at-first-call")
def test_variables_at_first_call(tf):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    printed = 2
    assert len(model.variables) != printed
    model(X)
    assert len(model.variables) == printed


@erratum("linear_model.prediction")
def test_prediction(tf):
    model = tf.keras.layers.Dense(1)
    model.build(X.shape)
    model.set_weights([A, np.ones(1, np.float32)])
    printed = "A * X + 1"
    with pytest.raises(ValueError, match="broadcast"):
        eval(printed, {"A": A, "X": X})  # noqa: S307 - the document's own term
    assert agrees(X @ A + 1, model(X))


@erratum("linear_model.trainable-variables")
def test_trainable_variables(tf):
    model = tf.keras.Sequential([tf.keras.layers.BatchNormalization(), tf.keras.layers.Dense(1)])
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_sum(model(X, training=True))
    printed, holds = (tape.gradient(loss, kept) for kept in (model.variables, model.trainable_variables))
    assert None in printed
    assert all(gradient is not None for gradient in holds)


def dense(tf, inputs, **options):
    """Return what a Dense layer of four units of ones, with biases of 1, gives."""
    layer = tf.keras.layers.Dense(4, kernel_initializer="ones", bias_initializer="ones", **options)
    return layer(inputs).numpy()


@erratum("dense.affine-not-linear")
def test_affine_not_linear(tf):
    zeros = np.zeros_like(X)
    printed = np.zeros((2, 4))
    assert differs(printed, dense(tf, zeros))
    assert agrees(printed, dense(tf, zeros, use_bias=False))
    assert agrees(np.ones((2, 4)), dense(tf, zeros))


@erratum("dense.any-rank")
def test_any_rank(tf):
    inputs = np.ones((2, 5, 3), np.float32)
    printed_rank, found = 2, dense(tf, inputs)
    assert found.ndim != printed_rank
    assert agrees(np.full((2, 5, 4), 4.0), found)


@erratum("dense.units")
def test_units(tf):
    printed, found = 4, dense(tf, X)
    assert found.ndim != printed
    assert found.shape[-1] == printed


@erratum("dense.bias-initializer-default")
def test_bias_initializer_default(tf):
    layer = tf.keras.layers.Dense(4)
    printed = tf.keras.initializers.GlorotUniform
    assert not isinstance(layer.bias_initializer, printed)
    assert isinstance(layer.kernel_initializer, printed)
    layer(X)
    assert not layer.bias.numpy().any()


@erratum("dense.glorot-name")
def test_glorot_name(tf):
    printed = "glorot_uniform_initializer"
    assert not hasattr(tf, printed)
    assert hasattr(tf.compat.v1, printed)
    assert isinstance(tf.keras.initializers.get("glorot_uniform"), tf.keras.initializers.GlorotUniform)


@erratum("call.found-on-the-class")
def test_found_on_the_class():
    class MyClass:
        def __call__(self):
            return "of the class"

    instance = MyClass()
    instance.__call__ = lambda: "of the instance"
    printed = instance.__call__()
    assert instance() != printed
    assert instance() == type(instance).__call__(instance) == "of the class"


@erratum("call.first-use")
def test_first_use(tf, keras3):
    class Counting(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.runs, self.dense = 0, tf.keras.layers.Dense(1)

        def call(self, inputs):
            self.runs += 1
            return self.dense(inputs)

    model = Counting()
    model(X)
    printed = 1
    assert model.runs != printed
    model(X)
    assert model.runs == 3


@erratum("mnist.modules")
def test_modules(tf):
    printed = "optimizer"
    assert not hasattr(tf.keras, printed)
    assert all(hasattr(tf.keras, name) for name in ("layers", "losses", "optimizers", "metrics", "datasets"))


@erratum("mnist.numpy-arrays")
def test_numpy_arrays():
    printed = "np.expand_dims(data, axis=-1)"
    with pytest.raises(NameError):
        eval(printed, {"__builtins__": builtins, "data": X})  # noqa: S307 - the document's own line
    assert eval(printed, {"np": np, "data": X}).shape == (2, 3, 1)  # noqa: S307 - as above


@erratum("mnist.counts")
def test_counts(digits):
    # The prose calls the class DataLoader; two classes of the document have that role.
    loaders = {"MNISTLoader": len(digits.x_train), "DataLoader": "text"}
    printed = "DataLoader"
    assert loaders[printed] != len(digits.x_train)
    assert (digits.x_train.shape, digits.x_test.shape) == ((60_000, 28, 28), (10_000, 28, 28))


@erratum("mnist.cache-folder")
def test_cache_folder(tf):
    printed = "dataset"
    default = inspect.signature(tf.keras.utils.get_file).parameters["cache_subdir"].default
    assert default != printed
    assert default == "datasets"


@erratum("mnist.image-axes")
def test_image_axes(tf):
    # A convolution over two rows and one column of a picture with one row above another.
    image = np.zeros((1, 2, 3, 1), np.float32)
    image[0, :, 0] = 1
    found = tf.nn.conv2d(image, np.ones((2, 1, 1, 1), np.float32), 1, "VALID").numpy()[0, ..., 0]
    printed = np.ones((2, 2))
    assert differs(printed, found)
    assert agrees([[2, 0, 0]], found)


@erratum("mlp.input-is-a-vector")
def test_input_is_a_vector(tf):
    model = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(10)])
    model(np.zeros((5, 28, 28, 1), np.float32))
    printed = (1, 784)
    found = model.layers[0](np.zeros((5, 28, 28, 1), np.float32)).shape
    assert tuple(found) != printed
    assert tuple(found) == (5, 784)


@erratum("softmax.emphasises-the-maximum")
def test_emphasises_the_maximum(tf):
    logits = np.array([[0.1, 0.2]], np.float32)
    shares, found = logits / logits.sum(), tf.nn.softmax(logits).numpy()
    printed_is_emphasised = found.max() > shares.max()
    assert not printed_is_emphasised
    assert agrees([[0.475021, 0.524979]], found)
    assert tf.nn.softmax(10 * logits).numpy().max() > shares.max()


@erratum("softmax.tends-to-argmax")
def test_tends_to_argmax(tf):
    logits = np.array([1.0, 3.0, 2.0], np.float32)
    printed, found = np.argmax(logits), tf.nn.softmax(1000 * logits).numpy()
    assert differs(printed, found)
    assert agrees(np.eye(3)[printed], found)


@erratum("softmax.large-logits")
def test_large_logits(tf):
    logits = np.array([100, 99], np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        printed = np.exp(logits) / np.exp(logits).sum()
    assert np.isnan(printed).all()
    assert agrees([0.731059, 0.268941], tf.nn.softmax(logits))


@erratum("training.num-epochs")
def test_num_epochs():
    printed = 60000 // 50 * 5
    without_int = 60000 // 50 * 5
    assert isinstance(without_int, int)
    assert printed == without_int == threshold("mlp_five_epochs").recipe["num_batches"]


@erratum("training.epoch-is-no-pass")
def test_epoch_is_no_pass():
    drawn = np.random.default_rng(0).integers(0, 60_000, 60_000)
    printed, found = 60_000, len(np.unique(drawn))
    assert found != printed
    assert found / printed == pytest.approx(1 - np.exp(-1), abs=0.01)


@erratum("training.optimizers-module")
def test_training_optimizers_module(tf):
    printed = "optimizer"
    assert not hasattr(tf.keras, printed)
    assert tf.keras.optimizers.Adam(learning_rate=0.001)


@erratum("cross_entropy.per-example")
def test_per_example(tf):
    labels, predictions = np.array([0, 1]), np.full((2, 2), 0.5, np.float32)
    printed_shape = ()
    function = tf.keras.losses.sparse_categorical_crossentropy(labels, predictions)
    assert tuple(function.shape) != printed_shape
    assert tuple(function.shape) == (2,)
    assert tuple(tf.keras.losses.SparseCategoricalCrossentropy()(labels, predictions).shape) == printed_shape


@erratum("cross_entropy.zero-probability")
def test_zero_probability(tf):
    with np.errstate(divide="ignore"):
        printed = -np.log(np.float32(0))
    found = tf.keras.losses.sparse_categorical_crossentropy(
        np.zeros(1, np.int32), np.array([[0, 1]], np.float32)
    ).numpy()
    assert np.isinf(printed)
    assert found == pytest.approx([-np.log(1e-7)])


@erratum("cross_entropy.third-loss")
def test_third_loss(tf):
    found = {name for name in dir(tf.keras.losses) if name.endswith("_crossentropy")}
    printed = {"categorical_crossentropy", "sparse_categorical_crossentropy"}
    assert found > printed
    assert "binary_crossentropy" in found


@erratum("evaluation.update-arguments")
def test_update_arguments(tf):
    labels, predictions = np.array([0, 1, 1]), np.eye(4, dtype=np.float32)[[0, 1, 2]]

    def accuracy(*arguments):
        metric = tf.keras.metrics.SparseCategoricalAccuracy()
        try:
            metric.update_state(*arguments)
        except (tf.errors.InvalidArgumentError, ValueError):
            return None
        return float(metric.result())

    printed = predictions, labels
    assert accuracy(*printed) != pytest.approx(2 / 3)
    assert accuracy(*printed[::-1]) == pytest.approx(2 / 3)
    parameters = inspect.signature(tf.keras.metrics.SparseCategoricalAccuracy.update_state).parameters
    assert [*parameters][1:3] == ["y_true", "y_pred"]


@erratum("evaluation.remainder")
def test_remainder():
    examples, batch_size = 10_000, 64
    printed = examples // batch_size
    assert printed * batch_size == examples - 16
    assert -(-examples // batch_size) == printed + 1


@erratum("evaluation.predict-prints")
def test_predict_prints(tf, capsys):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    capsys.readouterr()
    model.predict(X)
    printed = capsys.readouterr().out
    assert "1/1" in printed
    model.predict(X, verbose=0)
    assert capsys.readouterr().out == ""


@erratum("evaluation.printed-accuracy")
def test_printed_accuracy():
    printed = 0.9479
    one, five = threshold("mlp_one_epoch").limits(), threshold("mlp_five_epochs").limits()
    assert printed < five.lower
    assert one.lower <= printed <= one.upper


@erratum("neuron.second-layer-activation")
def test_second_layer_activation(tf):
    logits = np.array([[1.0, -2.0, 0.5]], np.float32)
    printed = tf.keras.activations.relu(logits).numpy()
    changed = logits + np.array([[1, 0, 0]], np.float32)
    assert (tf.keras.activations.relu(changed).numpy()[0, 1:] == printed[0, 1:]).all()
    assert (tf.nn.softmax(changed).numpy() != tf.nn.softmax(logits).numpy()).all()
