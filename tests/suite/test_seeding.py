"""The reference's seeds: they decide what is drawn under them, and nothing after it."""


def draw_twice(seed):
    """Draw under a seed, and once more after it."""
    import tensorflow as tf  # noqa: PLC0415 - collecting loads no framework

    from assay.reference.seeding import use_seed  # noqa: PLC0415 - as above

    def draw():
        return tf.keras.initializers.RandomUniform()([4]).numpy().tolist()

    with use_seed(seed):
        under = draw()
    return under, draw()


def test_a_seed_decides_what_is_drawn_under_it_and_nothing_else():
    (under, after), (under_again, after_again) = draw_twice(3), draw_twice(3)
    assert under == under_again
    assert after != after_again
