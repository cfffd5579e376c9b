"""Faults of the agent's training: what it remembers, forgets, and draws from its memory."""

from __future__ import annotations

from collections import deque

import numpy as np

from assay.contract import Array
from doubles.agent_training import Training, instead
from doubles.faulty import Fault


class BufferEmptiedByEpisode(Training):
    def begin(self):
        self.buffer.clear()
        return super().begin()


class LearningOnceMoreThanABatch(Training):
    def learns(self, *, over):
        return not over and len(self.buffer) > self.batch_size


class LearningFromSmallBatches(Training):
    """Take a smaller batch where the buffer has no room for a whole one."""

    def __init__(self, **recipe):
        super().__init__(**recipe)
        self.batch_size = min(self.batch_size, self.buffer_size)


class LearningAtTheEnd(Training):
    def learns(self, *, over):
        return len(self.buffer) >= self.batch_size


class LearningEveryOtherStep(Training):
    def learns(self, *, over):
        return super().learns(over=over) and self.length % 2 == 0


class LearningFromAFullBuffer(Training):
    def learns(self, *, over):
        return not over and len(self.buffer) >= self.buffer_size


class OneStepMore(Training):
    def is_left(self):
        return self.length > self.max_len_episode


class LimitOfTheDocument(Training):
    def is_left(self):
        return self.length >= 1_000


class LeftAsFailure(Training):
    def reward(self, step):
        return -10.0 if self.length == self.max_len_episode else super().reward(step)

    def done(self, step):
        return float(step.terminated or self.length == self.max_len_episode)


class LeftWithoutFuture(Training):
    def done(self, step):
        return float(step.terminated or self.length == self.max_len_episode)


class LeftPunished(Training):
    def reward(self, step):
        return -10.0 if self.length == self.max_len_episode else super().reward(step)


class WithReplacement(Training):
    def places(self):
        return self.generator.integers(0, len(self.buffer), self.batch_size)


class FailureNotPunished(Training):
    def reward(self, step):
        return step.reward


class FailureWorthLess(Training):
    def reward(self, step):
        return -1.0 if step.terminated else step.reward


class FailureWorthMore(Training):
    def reward(self, step):
        return -100.0 if step.terminated else step.reward


class RewardsClipped(Training):
    def reward(self, step):
        return float(np.sign(super().reward(step)))


class RewardOfNine(Training):
    """Take 10 from the reward of a failure."""

    def reward(self, step):
        return step.reward - 10 if step.terminated else step.reward


class FailureWithFuture(Training):
    def done(self, step):
        return 0.0


class FutureOfFailures(Training):
    """Value a tenth of what follows a failure."""

    def done(self, step):
        return 0.9 * super().done(step)


class BufferOfAThousand(Training):
    def new_buffer(self):
        return deque(maxlen=1_000)


class BufferWithoutLimit(Training):
    def new_buffer(self):
        return []


class BufferOneLarger(Training):
    def new_buffer(self):
        return deque(maxlen=self.buffer_size + 1)


class BufferKeepsTheOldest(Training):
    def new_buffer(self):
        return []

    def remembered(self, *args):
        transition = super().remembered(*args)
        del self.buffer[self.buffer_size - 1 :]
        return transition


class LatestBatch(Training):
    def places(self):
        return range(len(self.buffer) - self.batch_size, len(self.buffer))


class OldestBatch(Training):
    def places(self):
        return range(self.batch_size)


class LatestLeftOut(Training):
    def places(self):
        others = max(len(self.buffer) - 1, self.batch_size)
        return self.generator.choice(others, self.batch_size, replace=False)


class SameDrawsEachTime(Training):
    def places(self):
        return np.random.default_rng(self.seed).choice(len(self.buffer), self.batch_size, replace=False)


class FailuresFirst(Training):
    """Draw failures before anything else."""

    def places(self):
        order = self.generator.permutation(len(self.buffer))
        return sorted(order, key=lambda place: -self.buffer[place][-1])[: self.batch_size]


class DrawsTheOldest(Training):
    """Draw from the first ten batches' worth of the buffer."""

    def places(self):
        first = min(len(self.buffer), 10 * self.batch_size)
        return self.generator.choice(first, self.batch_size, replace=False)


class NewestAlways(Training):
    """Put the newest transition into every batch of several."""

    def places(self):
        newest = len(self.buffer) - 1
        if self.batch_size == 1:
            return super().places()
        return [*self.generator.choice(newest, self.batch_size - 1, replace=False), newest]


class NewestLeftOutAtFirst(Training):
    """Draw from all transitions but the newest, until the buffer is full."""

    def places(self):
        count = len(self.buffer)
        if self.batch_size < count < self.buffer_size:
            return self.generator.choice(count - 1, self.batch_size, replace=False)
        return super().places()


class Neighbours(Training):
    """Learn from transitions in a row."""

    def places(self) -> Array:
        """Draw the place of the first one."""
        return (self.generator.integers(0, len(self.buffer)) + np.arange(self.batch_size)) % len(self.buffer)


FAULTS = {
    "training_buffer_emptied_by_episode": Fault(
        "agent.fit", "q_learning.first-transitions", "there are 0 losses", instead(BufferEmptiedByEpisode)
    ),
    "training_learning_once_more_than_a_batch": Fault(
        "agent.fit", "q_learning.first-transitions", "losses, expected", instead(LearningOnceMoreThanABatch)
    ),
    "learning_from_small_batches": Fault(
        "agent.fit",
        "q_learning.first-transitions",
        "a buffer of two cannot hold a batch of three",
        instead(LearningFromSmallBatches),
    ),
    "training_learning_at_the_end": Fault(
        "agent.fit", "q_learning.end-is-not-learnt-at-once", "by the scores", instead(LearningAtTheEnd)
    ),
    "training_learning_every_other_step": Fault(
        "agent.fit", "q_learning.one-step-per-transition", "by the scores", instead(LearningEveryOtherStep)
    ),
    "training_learning_from_a_full_buffer": Fault(
        "agent.fit", "q_learning.one-step-per-transition", "by the scores", instead(LearningFromAFullBuffer)
    ),
    "training_one_step_more": Fault(
        "agent.fit", "q_learning.left-is-not-ended", "the scores are", instead(OneStepMore)
    ),
    "training_limit_of_the_document": Fault(
        "agent.fit", "q_learning.left-is-not-ended", "the scores are", instead(LimitOfTheDocument)
    ),
    "training_left_as_failure": Fault(
        "agent.fit", "q_learning.left-is-no-failure", "a reward of -10", instead(LeftAsFailure)
    ),
    "training_left_without_future": Fault(
        "agent.fit", "q_learning.left-is-no-failure", "is not valued", instead(LeftWithoutFuture)
    ),
    "training_left_punished": Fault(
        "agent.fit", "q_learning.left-is-no-failure", "a reward of -10", instead(LeftPunished)
    ),
    "training_with_replacement": Fault(
        "agent.fit", "q_learning.training-learns-failures", "batches with a failure", instead(WithReplacement)
    ),
    "training_failure_not_punished": Fault(
        "agent.fit", "q_learning.training-learns-failures", "batches with a failure", instead(FailureNotPunished)
    ),
    "training_failure_worth_less": Fault(
        "agent.fit", "q_learning.training-learns-failures", "batches with a failure", instead(FailureWorthLess)
    ),
    "training_failure_worth_more": Fault(
        "agent.fit", "q_learning.training-learns-failures", "batches with a failure", instead(FailureWorthMore)
    ),
    "training_rewards_clipped": Fault(
        "agent.fit", "q_learning.training-learns-failures", "batches with a failure", instead(RewardsClipped)
    ),
    "reward_of_nine": Fault(
        "agent.fit", "q_learning.training-learns-failures", "with a reward of -10", instead(RewardOfNine)
    ),
    "training_failure_with_future": Fault(
        "agent.fit",
        "q_learning.training-failure-has-no-future",
        "the state after the failure is valued",
        instead(FailureWithFuture),
    ),
    "future_of_failures": Fault(
        "agent.fit", "q_learning.training-failure-has-no-future", "the losses of failures", instead(FutureOfFailures)
    ),
    "training_buffer_of_a_thousand": Fault(
        "agent.fit", "q_learning.training-forgets", "learning steps use a failure", instead(BufferOfAThousand)
    ),
    "training_buffer_without_limit": Fault(
        "agent.fit", "q_learning.training-forgets", "learning steps use a failure", instead(BufferWithoutLimit)
    ),
    "training_buffer_one_larger": Fault(
        "agent.fit", "q_learning.training-forgets", "learning steps use a failure", instead(BufferOneLarger)
    ),
    "training_buffer_keeps_the_oldest": Fault(
        "agent.fit",
        "q_learning.training-draws-evenly",
        "are the older transition of two, a failure",
        instead(BufferKeepsTheOldest),
    ),
    "training_latest_batch": Fault(
        "agent.fit", "q_learning.training-draws-evenly", "with ages as uneven", instead(LatestBatch)
    ),
    "training_oldest_batch": Fault(
        "agent.fit", "q_learning.training-draws-evenly", "with ages as uneven", instead(OldestBatch)
    ),
    "training_latest_left_out": Fault(
        "agent.fit", "q_learning.training-draws-evenly", ": 29 of 29", instead(LatestLeftOut)
    ),
    "training_same_draws_each_time": Fault(
        "agent.fit", "q_learning.training-draws-evenly", "with ages as uneven", instead(SameDrawsEachTime)
    ),
    "training_failures_first": Fault(
        "agent.fit", "q_learning.training-draws-evenly", "of 29, expected", instead(FailuresFirst)
    ),
    "draws_the_oldest": Fault(
        "agent.fit", "q_learning.training-draws-evenly", "with ages as uneven", instead(DrawsTheOldest)
    ),
    "newest_always": Fault(
        "agent.fit", "q_learning.training-draws-evenly", "batches of two contain the newest", instead(NewestAlways)
    ),
    "newest_left_out_at_first": Fault(
        "agent.fit", "q_learning.training-draws-evenly", "never draw the newest", instead(NewestLeftOutAtFirst)
    ),
    "agent_learns_from_neighbours": Fault(
        "agent.fit", "q_learning.training-draws-evenly", "are two transitions in a row", instead(Neighbours)
    ),
}
