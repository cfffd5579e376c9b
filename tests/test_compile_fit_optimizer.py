"""The optimizer of a model that is compiled twice: lines 802 to 812 of the document."""

from assay.testing.assertions import claim
from assay.testing.one_weight import compile_model, fit, one_weight_model, steps_of


@claim("compile_fit.optimizer-by-name")
def test_name_gives_a_new_optimizer(keras):
    model = one_weight_model(keras, optimizer="adam")
    fit(model)
    assert steps_of(keras, model) == 2
    compile_model(keras, model, optimizer="adam")
    assert steps_of(keras, model) == 0, "compiled again, the model has the optimizer of the first training"


@claim("compile_fit.optimizer-object")
def test_optimizer_keeps_its_steps(keras):
    optimizer = keras.namespace.optimizers.Adam()
    model = one_weight_model(keras, optimizer=optimizer)
    fit(model)
    compile_model(keras, model, optimizer=optimizer)
    assert steps_of(keras, model) == 2, "compiled again, the optimizer loses its steps"
