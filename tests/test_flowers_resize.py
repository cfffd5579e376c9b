"""Images whose sides are multiples or fractions of the final ones: line 376 of the document."""

import numpy as np

from assay.spec.error_bounds import image_rounding
from assay.spec.semantics import datasets as definition
from assay.testing.assertions import assert_form, assert_within, claim

# The document's photographs are two to four times as large as what they are resized to, and single ones far larger.
IMAGE_SIZE = (8, 12)
# Either side, or both, times or divided by whole numbers.
SHAPES = ((4, 6), (2, 3), (8, 6), (4, 12), (16, 24), (40, 60), (72, 12), (8, 108), (200, 300))


@claim("flowers.resize-each")
def test_resize_by_whole_numbers(flowers, seed):
    generator = np.random.default_rng(seed)
    images = [generator.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in SHAPES]
    labels = np.arange(len(images), dtype=np.int32)
    options = {"shuffle_buffer": 1, "batch_size": len(images), "epochs": 1, "seed": 0}
    ((resized, _),) = flowers.image_batches(images, labels, image_size=IMAGE_SIZE, **options)
    resized = assert_form("the images", resized, (len(images), *IMAGE_SIZE, 3))
    for shape, image, found in zip(SHAPES, images, resized, strict=True):
        expected, bound = definition.resize(image, IMAGE_SIZE), image_rounding.resize(image, IMAGE_SIZE)
        assert_within(f"an image of {shape}, resized to {IMAGE_SIZE}", found, expected, bound)
