"""The catalogue of faults: implementations with one deliberate fault each, to see the claim about it fail.

`--implementation doubles.faults:reference_with.NAME` tests the reference with one, with `tests/suite` on the path.
"""

from __future__ import annotations

from doubles.acting_faults import ACTING_FAULTS
from doubles.agent_faults import AGENT_FAULTS
from doubles.agent_training_faults import AGENT_TRAINING_FAULTS
from doubles.array_faults import ARRAY_FAULTS
from doubles.axis_faults import AXIS_FAULTS
from doubles.base_faults import BASE_FAULTS
from doubles.basic_faults import BASIC_FAULTS
from doubles.blind_spot_faults import BLIND_SPOT_FAULTS
from doubles.call_state_faults import CALL_STATE_FAULTS
from doubles.coarse_draw_faults import COARSE_DRAW_FAULTS
from doubles.combination_faults import COMBINATION_FAULTS
from doubles.condition_faults import CONDITION_FAULTS
from doubles.convolution_faults import CONVOLUTION_FAULTS
from doubles.custom_faults import CUSTOM_FAULTS
from doubles.draw_faults import DRAW_FAULTS
from doubles.environment_faults import ENVIRONMENT_FAULTS
from doubles.episode_faults import EPISODE_FAULTS
from doubles.faulty import Fault, Faulty
from doubles.fit_faults import FIT_FAULTS
from doubles.flower_faults import FLOWER_FAULTS
from doubles.image_faults import IMAGE_FAULTS
from doubles.incomplete_key_faults import INCOMPLETE_KEY_FAULTS
from doubles.independence_faults import INDEPENDENCE_FAULTS
from doubles.kept_argument_faults import KEPT_ARGUMENT_FAULTS
from doubles.kept_result_faults import KEPT_RESULT_FAULTS
from doubles.kept_state_faults import KEPT_STATE_FAULTS
from doubles.keras_call_faults import KERAS_CALL_FAULTS
from doubles.keras_faults import KERAS_FAULTS
from doubles.keras_layer_faults import KERAS_LAYER_FAULTS
from doubles.keras_repeat_faults import KERAS_REPEAT_FAULTS
from doubles.label_training_faults import LABEL_TRAINING_FAULTS
from doubles.layer_faults import LAYER_FAULTS
from doubles.layout_faults import LAYOUT_FAULTS
from doubles.limit_faults import LIMIT_FAULTS
from doubles.memory_faults import MEMORY_FAULTS
from doubles.narrow_faults import NARROW_FAULTS
from doubles.nesting_faults import NESTING_FAULTS
from doubles.network_call_faults import NETWORK_CALL_FAULTS
from doubles.network_faults import NETWORK_FAULTS
from doubles.operation_faults import OPERATION_FAULTS
from doubles.own_result_faults import OWN_RESULT_FAULTS
from doubles.part_faults import PART_FAULTS
from doubles.pixel_faults import PIXEL_FAULTS
from doubles.precision_faults import PRECISION_FAULTS
from doubles.process_faults import PROCESS_FAULTS
from doubles.q_network_faults import Q_NETWORK_FAULTS
from doubles.rest_faults import REST_FAULTS
from doubles.seed_faults import SEED_FAULTS
from doubles.shuffle_faults import SHUFFLE_FAULTS
from doubles.text_draw_faults import TEXT_DRAW_FAULTS
from doubles.text_faults import TEXT_FAULTS
from doubles.text_fit_faults import TEXT_FIT_FAULTS
from doubles.training_faults import TRAINING_FAULTS

FAULTS: dict[str, Fault] = {}

for _faults in (
    BASIC_FAULTS,
    ACTING_FAULTS,
    LIMIT_FAULTS,
    Q_NETWORK_FAULTS,
    AGENT_FAULTS,
    AGENT_TRAINING_FAULTS,
    ARRAY_FAULTS,
    AXIS_FAULTS,
    BASE_FAULTS,
    BLIND_SPOT_FAULTS,
    CALL_STATE_FAULTS,
    COARSE_DRAW_FAULTS,
    COMBINATION_FAULTS,
    CONDITION_FAULTS,
    CONVOLUTION_FAULTS,
    CUSTOM_FAULTS,
    DRAW_FAULTS,
    ENVIRONMENT_FAULTS,
    EPISODE_FAULTS,
    FIT_FAULTS,
    FLOWER_FAULTS,
    IMAGE_FAULTS,
    INCOMPLETE_KEY_FAULTS,
    INDEPENDENCE_FAULTS,
    KERAS_CALL_FAULTS,
    KERAS_FAULTS,
    KERAS_LAYER_FAULTS,
    KERAS_REPEAT_FAULTS,
    KEPT_ARGUMENT_FAULTS,
    KEPT_RESULT_FAULTS,
    KEPT_STATE_FAULTS,
    LABEL_TRAINING_FAULTS,
    LAYER_FAULTS,
    LAYOUT_FAULTS,
    MEMORY_FAULTS,
    NARROW_FAULTS,
    NESTING_FAULTS,
    NETWORK_CALL_FAULTS,
    NETWORK_FAULTS,
    OPERATION_FAULTS,
    OWN_RESULT_FAULTS,
    PART_FAULTS,
    PIXEL_FAULTS,
    PRECISION_FAULTS,
    PROCESS_FAULTS,
    REST_FAULTS,
    SEED_FAULTS,
    SHUFFLE_FAULTS,
    TEXT_DRAW_FAULTS,
    TEXT_FAULTS,
    TEXT_FIT_FAULTS,
    TRAINING_FAULTS,
):
    if _twice := FAULTS.keys() & _faults.keys():
        msg = f"two faults have the name {min(_twice)!r}, and one of them would be lost"
        raise ValueError(msg)
    FAULTS |= _faults


class _WithFault:
    """Implementations by the name of the fault."""

    def __init__(self, base: str | None = None) -> None:
        """Take the name of the right implementation: by default NumPy where it has the function, else the reference."""
        self._base = base

    def __getattr__(self, name: str) -> Faulty:
        if name not in FAULTS:
            raise AttributeError(name)
        return Faulty(name, FAULTS[name], self._base)


reference_with = _WithFault("reference")
with_fault = _WithFault()
