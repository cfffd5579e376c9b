"""Predefined networks: lines 338 to 357 of the document."""

import inspect
from itertools import pairwise

import numpy as np
import pytest

from assay.adapters.proxy import NonConformanceError
from assay.contract import Architecture
from assay.spec.error_bounds import rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.vectors import read
from assay.testing.assertions import assert_equal, assert_form, assert_rejected, assert_within, claim

KNOWN, PROGRAM = read("applications"), read("flowers")
NETWORK, CLASSES = PROGRAM["network"], PROGRAM["classes"]


@pytest.fixture(scope="session")
def build(applications, compute_once):
    """Return a cached `applications.build`: each network is built once in a run."""

    def built(network=NETWORK, **options):
        name = "-".join(["build", network, *(f"{key}={value}" for key, value in options.items())])
        return Architecture(*compute_once(name, lambda: applications.build(network, **options)))

    return built


def plain(weights, outputs):
    """Count the parameters of a layer with a bias: trainable parameters and moving statistics."""
    return weights + outputs, 0


def count_normalized(weights, outputs):
    """Count the parameters of a convolution without a bias and of the batch normalisation after it."""
    return weights + 2 * outputs, 2 * outputs


def vgg(*convolutions):
    """Yield the layers of VGG: Simonyan and Zisserman, 2015, table 1."""
    blocks = zip((64, 128, 256, 512, 512), convolutions, strict=True)
    widths = [3, *(width for width, count in blocks for _ in range(count))]
    yield from (plain(3 * 3 * before * after, after) for before, after in pairwise(widths))
    yield from (plain(before * after, after) for before, after in pairwise((7 * 7 * 512, 4096, 4096, 1000)))


def resnet(*blocks_by_stage):
    """Yield the layers of a ResNet whose convolutions have no biases: He et al., 2016, table 1."""
    yield count_normalized(7 * 7 * 3 * 64, 64)
    before = 64
    for width, blocks in zip((64, 128, 256, 512), blocks_by_stage, strict=True):
        after = 4 * width
        yield count_normalized(before * after, after)
        for _ in range(blocks):
            yield count_normalized(before * width, width)
            yield count_normalized(3 * 3 * width * width, width)
            yield count_normalized(width * after, after)
            before = after
    yield plain(before * 1000, 1000)


def mobilenet():
    """Yield the layers of MobileNet: Howard et al., 2017, table 1."""
    yield count_normalized(3 * 3 * 3 * 32, 32)
    for before, after in pairwise((32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)):
        yield count_normalized(3 * 3 * before, before)
        yield count_normalized(before * after, after)
    yield plain(1024 * 1000, 1000)


def mobilenet_v2(channels=3, classes=1000):
    """Yield the layers of MobileNetV2: Sandler et al., 2018, table 2; without classes, only those below the top."""
    yield count_normalized(3 * 3 * channels * 32, 32)
    before = 32
    for expansion, after, count in MOBILENET_V2:
        for _ in range(count):
            hidden = expansion * before
            if expansion > 1:
                yield count_normalized(before * hidden, hidden)
            yield count_normalized(3 * 3 * hidden, hidden)
            yield count_normalized(hidden * after, after)
            before = after
    yield count_normalized(before * 1280, 1280)
    if classes:
        yield plain(1280 * classes, classes)


MOBILENET_V2 = ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1))


def total(layers):
    """Add up the parameters of layers: trainable parameters and moving statistics."""
    trained, kept = map(sum, zip(*layers, strict=True))
    return trained, kept


def counts(architecture):
    """Return the numbers of trainable and of other parameters of a network."""
    return architecture.trainable_parameters, architecture.other_parameters


def shapes(architecture):
    """Return the input and output shapes of a network."""
    return tuple(architecture.input_shape), tuple(architecture.output_shape)


def assert_published(build, network, layers):
    """Compare the number of parameters with that of the paper, and that with the known number in Keras."""
    expected = total(layers)
    assert counts(build(network)) == expected
    assert expected[0] == KNOWN["trainable_parameters"][network]


def default_of(keras, network, parameter):
    """Return the defaults of a constructor."""
    return inspect.signature(getattr(keras.namespace.applications, network)).parameters[parameter].default


BELOW_THE_TOP = {
    "VGG16": lambda: [*vgg(2, 2, 3, 3, 3)][:-3],
    "VGG19": lambda: [*vgg(2, 2, 4, 4, 4)][:-3],
    "MobileNet": lambda: [*mobilenet()][:-1],
    "MobileNetV2": lambda: mobilenet_v2(classes=0),
}


@claim("applications.names")
@pytest.mark.parametrize("network", BELOW_THE_TOP)
def test_names(keras, network):
    made = getattr(keras.namespace.applications, network)(weights=None, **smallest(network))
    assert (network, made.count_params()) == (network, sum(total(BELOW_THE_TOP[network]())))


@claim("applications.resnet-names")
def test_resnet_names(keras):
    assert all(callable(getattr(keras.namespace.applications, f"ResNet{depth}")) for depth in (50, 101, 152))
    with pytest.raises((NonConformanceError, AttributeError)):
        _ = keras.namespace.applications.ResNet


@pytest.fixture(scope="session")
def mobilenet_v2_model(keras):
    """Return a new MobileNetV2 of the namespace for small images and five classes."""
    return keras.namespace.applications.MobileNetV2(weights=None, input_shape=(32, 32, 3), classes=CLASSES)


@claim("applications.mobilenet-v2-variables")
def test_mobilenet_v2_variables(mobilenet_v2_model):
    assert (len(mobilenet_v2_model.variables), len(mobilenet_v2_model.trainable_variables)) == (262, 158)


@claim("applications.softmax-at-the-top")
def test_softmax_at_the_top(keras, mobilenet_v2_model, batch):
    images = np.concatenate([np.zeros((1, 32, 32, 3), np.float32), 255 * batch.images[:2]])
    found = keras.to_numpy(mobilenet_v2_model(keras.to_tensor(images), training=True))
    assert_distributions(assert_form("the predictions", found, (3, CLASSES)))


@claim("applications.vgg16-parameters")
def test_vgg16_parameters(build):
    assert_published(build, "VGG16", vgg(2, 2, 3, 3, 3))


@claim("applications.vgg19-parameters")
def test_vgg19_parameters(build):
    assert_published(build, "VGG19", vgg(2, 2, 4, 4, 4))


def assert_resnet(permitted, found, network, layers):
    """Compare the number of parameters of a ResNet with that of the paper, with or without biases of convolutions."""
    # Each channel has two moving statistics in the batch normalisation, and would have one bias.
    trained, kept = total(layers)

    def check(*expected):
        assert found == expected, f"{network} trains {found[0]} parameters and keeps {found[1]} statistics"

    permitted({"biases": lambda: check(trained + kept // 2, kept), "no-biases": lambda: check(trained, kept)})


@claim("applications.resnet50-parameters")
def test_resnet50_parameters(build, permitted):
    layers = [*resnet(3, 4, 6, 3)]
    trained, kept = total(layers)
    assert trained + kept // 2 == KNOWN["trainable_parameters"]["ResNet50"]
    assert_resnet(permitted, counts(build("ResNet50")), "ResNet50", layers)


@claim("applications.deeper-resnets")
def test_deeper_resnets(build, permitted):
    for network, blocks in {"ResNet101": (3, 4, 23, 3), "ResNet152": (3, 8, 36, 3)}.items():
        found = counts(build(network, input_shape=(32, 32, 3), include_top=False))
        assert_resnet(permitted, found, network, [*resnet(*blocks)][:-1])


@claim("applications.vgg-convolutions")
@pytest.mark.parametrize("network", ["VGG16", "VGG19"])
def test_vgg_convolutions(build, network):
    found = build(network, **smallest(network))
    assert (network, counts(found)) == (network, total(BELOW_THE_TOP[network]()))
    assert shapes(found) == ((32, 32, 3), (1, 1, 512))


@claim("applications.inception-parameters")
def test_inception_parameters(build):
    found = build("InceptionV3", **smallest("InceptionV3"))
    assert counts(found) == tuple(KNOWN["without_top"]["InceptionV3"])
    assert shapes(found) == ((75, 75, 3), (1, 1, 2048))


@claim("applications.mobilenet-parameters")
def test_mobilenet_parameters(build):
    assert_published(build, "MobileNet", mobilenet())


@claim("applications.mobilenet-v2-parameters")
def test_mobilenet_v2_parameters(build):
    assert_published(build, "MobileNetV2", mobilenet_v2())


def assert_default_size(build, network):
    """Compare the input shape of a network with its default size."""
    assert tuple(build(network).input_shape) == tuple(KNOWN["default_input_shape"][network])


@claim("applications.default-size")
def test_default_size(build):
    assert_default_size(build, "MobileNetV2")


@claim("applications.common-default-size")
@pytest.mark.parametrize("network", ["VGG16", "VGG19", "ResNet50", "MobileNet"])
def test_common_default_size(build, network):
    assert_default_size(build, network)


@claim("applications.mobilenet-default-size")
@pytest.mark.parametrize("network", ["ResNet50", "MobileNet"])
def test_mobilenet_default_size(build, network):
    assert shapes(build(network)) == (tuple(KNOWN["default_input_shape"][network]), (1000,))


@claim("applications.inception-default-size")
def test_inception_default_size(build):
    assert_default_size(build, "InceptionV3")


@claim("applications.input-shape-default")
@pytest.mark.parametrize("network", KNOWN["default_input_shape"])
def test_input_shape_default(keras, network):
    assert default_of(keras, network, "input_shape") is None


@claim("applications.input-shape")
def test_input_shape(build):
    assert tuple(build(input_shape=(64, 96, 3), include_top=False).input_shape) == (64, 96, 3)


@claim("applications.input-shape-without-batch")
def test_input_shape_without_batch(keras):
    network = keras.namespace.applications.MobileNetV2
    assert_rejected("an input_shape of (1, 224, 224, 3)", lambda: network(weights=None, input_shape=(1, 224, 224, 3)))


def smallest(network, rows=0, columns=0):
    """Return the smallest input_shape of a network without its top, reduced by some rows and columns."""
    size = KNOWN["smallest"][network]
    return {"input_shape": (size - rows, size - columns, 3), "include_top": False}


@claim("applications.smallest-size")
@pytest.mark.parametrize("network", KNOWN["default_input_shape"])
def test_smallest_size(build, network):
    shape = smallest(network)
    assert tuple(build(network, **shape).input_shape) == shape["input_shape"]


ONE_LESS = pytest.mark.parametrize(("rows", "columns"), [(1, 0), (0, 1)], ids=["row", "column"])


@claim("applications.too-small")
@ONE_LESS
@pytest.mark.parametrize("network", KNOWN["default_input_shape"])
def test_too_small(applications, network, rows, columns):
    shape = smallest(network, rows, columns)
    assert_rejected(f"{shape}", lambda: applications.build(network, **shape))


@claim("applications.other-smallest-size")
@ONE_LESS
def test_other_smallest_size(keras, rows, columns):
    network, accepted = keras.namespace.applications.Xception, smallest("Xception")
    assert network(weights=None, **accepted).input_shape == (None, *accepted["input_shape"])
    rejected = smallest("Xception", rows, columns)
    assert_rejected(f"{rejected}", lambda: network(weights=None, **rejected))


OTHERS = {network: size for network, size in KNOWN["smallest"].items() if network not in KNOWN["default_input_shape"]}


@claim("applications.others-too-small")
@ONE_LESS
@pytest.mark.parametrize("network", OTHERS)
def test_others_too_small(keras, network, rows, columns):
    rejected = smallest(network, rows, columns)
    make = getattr(keras.namespace.applications, network)
    assert_rejected(f"{network}: {rejected}", lambda: make(weights=None, **rejected))


@claim("applications.others-smallest-size")
@pytest.mark.parametrize("network", OTHERS)
def test_others_smallest_size(keras, network):
    accepted = smallest(network)
    made = getattr(keras.namespace.applications, network)(weights=None, **accepted)
    assert made.input_shape == (None, *accepted["input_shape"])


@claim("applications.others-default-size")
@pytest.mark.parametrize("network", KNOWN["other_default_input_shape"])
def test_others_default_size(keras, network):
    made = getattr(keras.namespace.applications, network)(weights=None)
    assert made.input_shape == (None, *KNOWN["other_default_input_shape"][network])


@claim("applications.too-small-images")
@pytest.mark.parametrize("training", [False, True])
def test_too_small_images(applications, training, seed):
    images = np.zeros((2, 75, 74, 3), np.float32)

    def use():
        if training:
            labels = np.zeros((1, 2), np.int32)
            return applications.train("InceptionV3", images[None], labels, classes=5, learning_rate=0.001, seed=seed)
        return applications.predict("InceptionV3", images, training=False, seed=seed, classes=5)

    assert_rejected("images of 75x74", use)


@claim("applications.any-channels")
def test_any_channels(build):
    grey = build(input_shape=(32, 32, 1), classes=CLASSES)
    assert shapes(grey) == ((32, 32, 1), (CLASSES,))
    assert counts(grey) == total(mobilenet_v2(channels=1, classes=CLASSES))


@claim("applications.imagenet-channels")
def test_imagenet_channels(applications):
    grey = {"input_shape": (96, 96, 1), "include_top": False}
    assert_rejected("one channel", lambda: applications.build(NETWORK, weights="imagenet", **grey))


@claim("applications.imagenet-size")
def test_imagenet_size(keras):
    network = keras.namespace.applications.VGG16
    assert_rejected("64x64", lambda: network(weights="imagenet", input_shape=(64, 64, 3)))


@claim("applications.top-default")
@pytest.mark.parametrize("network", KNOWN["default_input_shape"])
def test_top_default(keras, network):
    assert default_of(keras, network, "include_top") is KNOWN["defaults"]["include_top"]


@claim("applications.top-is-dense")
def test_top_is_dense(build):
    with_top, without = build(), build(input_shape=(64, 96, 3), include_top=False)
    found = with_top.trainable_parameters - without.trainable_parameters, without.other_parameters
    assert found == ((1280 + 1) * 1000, with_top.other_parameters)


@claim("applications.vgg-top")
def test_vgg_top(build):
    assert counts(build("VGG16", **smallest("VGG16"))) == total([*vgg(2, 2, 3, 3, 3)][:-3])


@claim("applications.without-top")
def test_without_top(build):
    assert tuple(build(input_shape=(64, 96, 3), include_top=False).output_shape) == (2, 3, 1280)


@claim("applications.any-size-without-top")
def test_any_size_without_top(build):
    assert shapes(build(include_top=False)) == ((None, None, 3), (None, None, 1280))


def assert_distributions(found):
    """Check that every row is not negative and has a sum of 1, except for the rounding of softmax."""
    assert (found >= 0).all(), f"there are negative probabilities, down to {found.min()}"
    # The logarithms of a softmax's results are its logits, up to a shift that does not matter.
    bound = rounding.softmax(np.log(to_float64(found))).sum(axis=-1)
    assert_within("the sums", to_float64(found).sum(axis=-1), np.ones(len(found)), bound, np.dtype(np.float64))


@claim("applications.top-gives-a-distribution")
@pytest.mark.parametrize("training", [False, True])
def test_top_gives_a_distribution(predict, training):
    assert_distributions(predict(training=training))


@claim("applications.weights-default")
@pytest.mark.parametrize("network", KNOWN["default_input_shape"])
def test_weights_default(keras, network):
    assert default_of(keras, network, "weights") == KNOWN["defaults"]["weights"]


@claim("applications.imagenet-weights")
def test_imagenet_weights(keras, online, seed):
    first, second = (keras.namespace.applications.MobileNetV2() for _ in range(2))
    for one, other in zip(first.variables, second.variables, strict=True):
        assert_equal("a variable of the second network", keras.to_numpy(other), keras.to_numpy(one))
    images = np.random.default_rng(seed).uniform(-1, 1, (2, 224, 224, 3)).astype(np.float32)
    assert_distributions(assert_form("the predictions", keras.to_numpy(first(keras.to_tensor(images))), (2, 1000)))


@pytest.fixture(scope="session")
def answer(applications, compute_once, batch, seed):
    """Return a function from the seed of a new VGG16's weights, this one or the next, to its predictions."""
    # Bright noise: logits are proportional to the brightness, and those of two images of noise differ by only a tenth.
    one, other = 4096 * batch.images[:2]
    images = np.stack([one, other, np.zeros_like(one), 2 * one, other])

    def predicted():
        # Calls in succession differ in the seed alone, so a network kept from the first would answer the second.
        options = {"training": False, "classes": CLASSES}
        return [applications.predict("VGG16", images, seed=seed + number, **options) for number in range(2)]

    def answered(weights_seed):
        found = compute_once("vgg", predicted)[weights_seed - seed]
        return assert_form("the predictions", found, (len(images), CLASSES))

    return answered


def logits_of(probabilities):
    """Return logits with a mean of 0 whose softmax these probabilities are."""
    logarithms = np.log(to_float64(probabilities))
    return logarithms - logarithms.mean(axis=-1, keepdims=True)


# Far above the rounding of logits of about 1, and far below the effect of other images or weights. The five logits of
# two images of noise differ by about 0.1: all by less than this with a probability of 4e-9.
SAME = 1e-3


def assert_even(what, found, classes):
    """Check that every class has the same probability."""
    assert_within(what, found, np.full(classes, 1 / classes), rounding.softmax(np.zeros(classes)))


@claim("applications.black-image")
def test_black_image(answer, seed):
    assert_even("the predictions of VGG16", answer(seed)[2], CLASSES)


@claim("applications.inference-needs-no-batch")
def test_inference_needs_no_batch(applications, predict, batch, seed):
    # A call in training mode changes moving statistics, but of a network that the later call does not use.
    assert_form("the predictions", predict(training=True), (len(batch.labels), CLASSES))
    images = np.stack([batch.images[0], np.zeros_like(batch.images[0])])
    found = applications.predict(NETWORK, images, training=False, seed=seed, classes=CLASSES)
    black = assert_form("the predictions", found, (2, CLASSES))[1]
    assert_even(f"the predictions of {NETWORK} for a black image, after a call in training mode", black, CLASSES)


@claim("applications.training-on-equal-images")
def test_training_on_equal_images(applications, batch, seed):
    # The last features have one position. So they do not vary in the batch, and normalised they are beta, which is 0.
    found = applications.predict("MobileNet", np.stack([batch.images[0]] * 3), training=True, seed=seed)
    logits = logits_of(assert_form("the predictions", found, (3, 1000)))
    assert_within("the logits of equal images", logits, np.zeros_like(logits), SAME, np.dtype(np.float64))


@claim("applications.brightness")
def test_brightness(answer, seed):
    logits = logits_of(answer(seed))
    bound = SAME * np.abs(2 * logits[0]).max()
    assert_within("the logits of an image twice as bright", logits[3], 2 * logits[0], bound, np.dtype(np.float64))


@claim("applications.image-by-image")
def test_image_by_image(answer, seed):
    logits = logits_of(answer(seed))
    assert_within("the logits of the same image", logits[4], logits[1], SAME, np.dtype(np.float64))
    assert np.abs(logits[1] - logits[0]).max() > SAME, "two images have the same predictions"


@claim("applications.weights-none")
def test_weights_none(answer, seed):
    first, second = (logits_of(answer(one)) for one in (seed, seed + 1))
    assert np.abs(first[:2] - second[:2]).max() > SAME, f"the seeds {seed} and {seed + 1} give the same predictions"


@claim("applications.weights-seed")
def test_weights_seed(applications, predict, batch, seed):
    again = applications.predict(NETWORK, batch.images, training=True, seed=seed, classes=CLASSES)
    assert_equal("the predictions of a second network", again, predict(training=True))


@claim("applications.unknown-weights")
def test_unknown_weights(applications):
    assert_rejected("weights of 'mnist'", lambda: applications.build(NETWORK, weights="mnist"))


@claim("applications.classes-default")
@pytest.mark.parametrize("network", KNOWN["default_input_shape"])
def test_classes_default(keras, network):
    assert default_of(keras, network, "classes") == KNOWN["defaults"]["classes"]


@claim("applications.thousand-classes")
def test_thousand_classes(build):
    assert tuple(build().output_shape) == (1000,)


@claim("applications.five-classes")
def test_five_classes(build):
    # Other tests need the first one too, so that it costs nothing here.
    for classes, found in ((1000, build()), (CLASSES, build(classes=CLASSES))):
        assert (tuple(found.output_shape), counts(found)) == ((classes,), total(mobilenet_v2(classes=classes)))


@claim("applications.classes-with-imagenet")
@pytest.mark.parametrize("network", KNOWN["default_input_shape"])
def test_classes_with_imagenet(applications, network):
    assert_rejected("classes=5", lambda: applications.build(network, weights="imagenet", classes=5))


@claim("applications.predictions-with-imagenet")
def test_predictions_with_imagenet(applications, batch, seed):
    options = {"training": False, "seed": seed, "weights": "imagenet", "classes": CLASSES}
    assert_rejected("classes=5", lambda: applications.predict(NETWORK, batch.images, **options))


@claim("applications.classes-without-top")
def test_classes_without_top(build):
    without_top = {"input_shape": (64, 96, 3), "include_top": False}
    assert build(**without_top, classes=CLASSES) == build(**without_top)


@claim("applications.classes-with-file")
def test_classes_with_file(keras, tmp_path):
    network = keras.namespace.applications.MobileNetV2
    options = {"input_shape": (32, 32, 3), "classes": CLASSES}
    file = str(tmp_path / "five.weights.h5")
    network(weights=None, **options).save_weights(file)
    assert network(weights=file, **options).output_shape == (None, CLASSES)
