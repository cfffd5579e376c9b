"""The program that learns to balance a pole."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.errors import ErrorKind, UserError
from assay.reference.programs.common import LEARNING_RATE, prepare, save, save_animation, say, start

if TYPE_CHECKING:
    from types import SimpleNamespace

    from assay.contract import Parameters
    from assay.reference.environments import Environment

# Lines 690 to 696, and 723.
RECIPE: dict[str, Any] = {
    "num_exploration_episodes": 100,
    "initial_epsilon": 1.0,
    "final_epsilon": 0.01,
    "max_len_episode": 1000,
    "buffer_size": 10_000,
    "batch_size": 32,
    "learning_rate": LEARNING_RATE,
    "gamma": 1.0,
}
# An agent may get worse again, so the one shown is from the middle of the best consecutive episodes.
WINDOW = 10


def run(options: SimpleNamespace) -> None:
    """Train the agent on CartPole, and show how it plays (lines 681 to 764)."""
    prepare(options.out)
    stage = _stage()
    start(options.device)
    from assay.reference.agent import get_learner, training
    from assay.reference.environments import play
    from assay.reference.programs import pictures
    from assay.reference.programs.progress import Bar

    learner = get_learner("q_network", RECIPE["batch_size"])
    scores: list[int] = []
    recent: deque[Parameters] = deque(maxlen=WINDOW)
    best, ended = -1.0, 0
    shown: Parameters = {}
    with Bar("dqn", options.episodes, unit="episode") as bar:
        for score, _ in training(num_episodes=options.episodes, seed=options.seed, **RECIPE):
            scores.append(score)
            recent.append(learner.trainer.parameters())
            mean = float(np.mean(scores[-WINDOW:]))
            bar.set_postfix(score=score, mean=f"{mean:.1f}", refresh=False)
            bar.update()
            if mean > best and len(scores) >= min(WINDOW, options.episodes):
                best, ended, shown = mean, len(scores), recent[len(recent) // 2]
    say(f"best mean score of {WINDOW} episodes: {best:.1f}, after {ended} episodes")
    learner.load(shown)
    episode, frames = play(stage, learner.act, options.seed)
    say(f"score of the episode that is shown: {len(episode.rewards) - 1}")
    save(pictures.scores(np.array(scores), WINDOW, RECIPE["num_exploration_episodes"]), options.out, "dqn-scores")
    save_animation(frames, options.out, "dqn-episode")


def _stage() -> Environment:
    """Create an environment that renders, and check before the training that it does."""
    from assay.reference.environments import make

    try:
        environment = make(render_mode="rgb_array")
        environment.reset()
        environment.wrapped.render()
    except Exception as error:
        problem = f"CartPole is not available: {error}"
        raise UserError(ErrorKind.MISSING_PACKAGE, problem, "`pip install -e '.[reference]'` brings it") from error
    return environment
