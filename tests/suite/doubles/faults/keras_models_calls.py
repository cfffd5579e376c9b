"""Faults of the calls of models and layers."""

import numpy as np

from doubles.faulty import Fault
from doubles.keras_namespace import Changed, with_layers, with_methods
from doubles.late_tensorflow import tf


def one_argument_alone(namespace):
    """Pass the first argument to the constructor of a model, and lose the others."""

    class Model(namespace.Model):
        def __init_subclass__(cls):
            super().__init_subclass__()
            start = cls.__init__
            cls.__init__ = lambda self, *args, **options: start(self, *args[:1], **options)

    return Changed(namespace, Model=Model)


def _converting(convert, method):
    return lambda self, inputs, **options: method(self, convert(inputs, "float32"), **options)


def own_methods_converted(namespace):
    """Convert the arguments of any method of a model to tensors."""
    convert = namespace.ops.convert_to_tensor

    class Methods:
        def __init_subclass__(cls, **options):
            super().__init_subclass__(**options)
            for name, method in list(vars(cls).items()):
                if callable(method) and name in {"return_inputs", "__call__"}:
                    setattr(cls, name, _converting(convert, method))

    return with_methods(namespace, Methods)


def output_remembered(namespace):
    """Return the last output where inputs of the same shape come."""

    class Methods:
        def __call__(self, inputs, **options):
            shape = str(getattr(inputs, "shape", None))
            kept = self.__dict__.setdefault("_outputs", {})
            if shape not in kept or options:
                kept[shape] = super().__call__(inputs, **options)
            return kept[shape]

    return with_methods(namespace, Methods)


def batch_of_the_first_call(namespace):
    """Take no more examples than the first call had."""

    class Methods:
        def __call__(self, inputs, **options):
            count = getattr(inputs, "shape", [None])[0]
            first = self.__dict__.setdefault("_count", count)
            return super().__call__(inputs[:first] if count and first and count > first else inputs, **options)

    return with_methods(namespace, Methods)


def weights_of_the_class(namespace):
    """Set the weights of every model of a class."""
    models = []

    class Methods:
        def set_weights(self, weights):
            models.append(self)
            for other in {
                id(one): one for one in _instances if one.built and type(one).__name__ == type(self).__name__
            }.values():
                if [w.shape for w in other.get_weights()] == [np.shape(w) for w in weights]:
                    namespace.Model.set_weights(other, weights)

        def __call__(self, *args, **options):
            _instances.append(self)
            return super().__call__(*args, **options)

    _instances = []
    return with_methods(namespace, Methods)


def tuples_to_lists(namespace):
    """Return a list where the call of a model returns a tuple."""

    class Methods:
        def __call__(self, *args, **options):
            found = super().__call__(*args, **options)
            return list(found) if isinstance(found, tuple) else found

    return with_methods(namespace, Methods)


def first_output_alone(namespace):
    """Return the first of what call returns."""

    class Methods:
        def __call__(self, *args, **options):
            found = super().__call__(*args, **options)
            return next(iter(found.values())) if isinstance(found, dict) else found

    return with_methods(namespace, Methods)


def padding_of_the_first_image(namespace):
    """Add the rows and columns that the first image requires to every image."""

    class Conv2D(namespace.layers.Conv2D):
        def call(self, inputs):
            if self.padding != "same":
                return super().call(inputs)
            if not hasattr(self, "added"):
                sizes = zip(inputs.shape[1:3], self.kernel_size, self.strides, strict=True)
                totals = [max((-(-size // stride) - 1) * stride + window - size, 0) for size, window, stride in sizes]
                self.added = [(0, 0), *((total // 2, total - total // 2) for total in totals), (0, 0)]
            outputs = tf.nn.conv2d(inputs, self.kernel, self.strides, [list(pair) for pair in self.added])
            return self.activation(outputs + self.bias if self.use_bias else outputs)

    return with_layers(namespace, Conv2D=Conv2D)


def negative_pixels_without_gradient(namespace):
    """Pass a gradient through MaxPool2D only where the largest pixel is positive."""

    class MaxPool2D(namespace.layers.MaxPool2D):
        def call(self, inputs):
            outputs = super().call(inputs)
            return tf.where(outputs > 0, outputs, tf.stop_gradient(outputs))

    return with_layers(namespace, MaxPool2D=MaxPool2D)


def constant_statistics(namespace):
    """Pass no gradient through the mean and the variance of the batch."""

    class BatchNormalization(namespace.layers.BatchNormalization):
        def _moments(self, inputs, mask):
            return tuple(map(tf.stop_gradient, super()._moments(inputs, mask)))

    return with_layers(namespace, BatchNormalization=BatchNormalization)


def instance_call_found(namespace):
    """Let an attribute of the instance take the place of __call__."""

    class Methods:
        def __call__(self, *args, **options):
            own = self.__dict__.get("__call__")
            return own(*args, **options) if own else super().__call__(*args, **options)

    return with_methods(namespace, Methods)


def call_result_doubled_by_shape_inference(namespace):
    """Run call twice in each __call__, the first time to see the shape."""

    class Methods:
        def __call__(self, inputs, *args, **options):
            if self.built:
                self.call(inputs, *args, **options)
            return super().__call__(inputs, *args, **options)

    return with_methods(namespace, Methods)


def seen_inputs_scaled(namespace):
    """Call differs from __call__: afterwards the output is rounded to half precision."""

    class Methods:
        def __call__(self, *args, **options):
            found = super().__call__(*args, **options)
            if (hasattr(found, "dtype") and str(found.dtype).endswith("float32'>")) or "float32" in str(
                getattr(found, "dtype", "")
            ):
                return (
                    namespace.ops.cast(namespace.ops.cast(found, "float16"), "float32")
                    if not isinstance(found, type(namespace.Input((1,))))
                    else found
                )
            return found

    return with_methods(namespace, Methods)


def lists_not_converted(namespace):
    """Make a tensor of a single array, and leave those in lists, dictionaries and keywords as they are."""

    class Methods:
        def __call__(self, *args, **options):
            if args and not isinstance(args[0], list | tuple | dict):
                return super().__call__(*args, **options)
            return self.call(*args, **options)

    return with_methods(namespace, Methods)


def dictionaries_not_converted(namespace):
    """Make tensors of arrays, and of those in lists."""

    class Methods:
        def __call__(self, *args, **options):
            if args and isinstance(args[0], dict):
                return self.call(*args, **options)
            return super().__call__(*args, **options)

    return with_methods(namespace, Methods)


def keywords_not_converted(namespace):
    """Make tensors of the arrays that come by position."""

    class Methods:
        def __call__(self, *args, **options):
            return super().__call__(*args, **options) if args else self.call(**options)

    return with_methods(namespace, Methods)


def whole_numbers_cast(namespace):
    """Make float32 of inputs of any type."""

    class Methods:
        def __call__(self, inputs, **options):
            inputs = namespace.ops.cast(inputs, "float32") if hasattr(inputs, "dtype") else inputs
            return super().__call__(inputs, **options)

    return with_methods(namespace, Methods)


FAULTS = {
    "one_argument_alone": Fault("keras.namespace", "model.init-arguments", "(2, 4)", one_argument_alone),
    "own_methods_converted": Fault(
        "keras.namespace", "model.own-methods-are-not-called", "the method received", own_methods_converted
    ),
    "output_remembered": Fault("keras.namespace", "model.calls-are-independent", "output 2", output_remembered),
    "batch_of_the_first_call": Fault(
        "keras.namespace", "model.any-batch", "50 examples has shape [2, 1]", batch_of_the_first_call
    ),
    "weights_of_the_class": Fault("keras.namespace", "model.two-models", "the second model", weights_of_the_class),
    "tuples_to_lists": Fault("keras.namespace", "model.outputs-as-returned", "a tuple became a list", tuples_to_lists),
    "first_output_alone": Fault(
        "keras.namespace", "model.outputs-as-returned", "a dictionary became", first_output_alone
    ),
    "padding_of_the_first_image": Fault(
        "keras.namespace", "model.images-of-other-sizes", "Conv2D of (7, 8)", padding_of_the_first_image
    ),
    "negative_pixels_without_gradient": Fault(
        "keras.namespace", "model.images-pass-gradients", "the gradient of the pixels", negative_pixels_without_gradient
    ),
    "constant_statistics": Fault(
        "keras.namespace", "model.images-pass-gradients", "the pixels after a step", constant_statistics
    ),
    "instance_call_found": Fault("keras.namespace", "call.found-on-the-class", "model(X)", instance_call_found),
    "call_twice": Fault(
        "keras.namespace", "call.runs-call-once", "call ran 2 times", call_result_doubled_by_shape_inference
    ),
    "output_in_half_precision": Fault("keras.namespace", "call.same-result", "model(X)", seen_inputs_scaled),
    "lists_not_converted": Fault("keras.namespace", "call.converts-structures", "call was given", lists_not_converted),
    "dictionaries_not_converted": Fault(
        "keras.namespace", "call.converts-structures", "call was given", dictionaries_not_converted
    ),
    "keywords_not_converted": Fault(
        "keras.namespace", "call.converts-keywords", "call was given", keywords_not_converted
    ),
    "whole_numbers_cast": Fault("keras.namespace", "call.keeps-whole-numbers", "expected int32", whole_numbers_cast),
}
