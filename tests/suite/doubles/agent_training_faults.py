"""Faults of the agent's training: each exchanges one part of the document's program."""

from collections import deque

import numpy as np

from assay.alternatives.numpy.agent import Learner
from assay.alternatives.numpy.cart_pole import Environment
from assay.alternatives.numpy.models import MODELS
from assay.alternatives.numpy.optimizers import SGD, Adam
from doubles.agent_training import Training, instead
from doubles.faulty import Fault


class GammaOfItsOwn(Training):
    """Discount by a gamma of its own."""

    own = 0.0

    def new_learner(self, parameters):
        return Learner("q_network", parameters, self.learning_rate, self.own)


class Gamma99(GammaOfItsOwn):
    own = 0.99


class LearningRateOfItsOwn(Training):
    def new_learner(self, parameters):
        return Learner("q_network", parameters, 0.001, self.gamma)


class LearningRateTwice(Training):
    def new_learner(self, parameters):
        return Learner("q_network", parameters, 2 * self.learning_rate, self.gamma)


class LearningRateDecaying(Training):
    def learn(self):
        super().learn()
        self.learner.optimizer.learning_rate *= 0.9


class FinalEpsilonFromTheFirst(Training):
    def epsilon(self):
        return self.final_epsilon


class InitialEpsilonForEver(Training):
    def epsilon(self):
        return self.initial_epsilon


class EpsilonOfTheNextEpisode(Training):
    def epsilon(self):
        left = 1 - (self.episode + 1) / self.num_exploration_episodes
        return max(self.initial_epsilon * left, self.final_epsilon)


class EpsilonOfTheEpisodeBefore(Training):
    def epsilon(self):
        left = 1 - max(self.episode - 1, 0) / self.num_exploration_episodes
        return max(self.initial_epsilon * left, self.final_epsilon)


class EpsilonFallingByStep(Training):
    def epsilon(self):
        left = 1 - sum(self.scores, self.length) / self.num_exploration_episodes
        return max(self.initial_epsilon * left, self.final_epsilon)


class EpsilonOfTheDocument(Training):
    def epsilon(self):
        return max(1.0 * (1 - self.episode / 100), 0.01)


class EpsilonFallingByAPower(Training):
    def epsilon(self):
        return max(self.initial_epsilon * 0.97**self.episode, self.final_epsilon)


class NoLeastEpsilon(Training):
    def epsilon(self):
        return max(self.initial_epsilon * (1 - self.episode / self.num_exploration_episodes), 0.0)


class ExploringOnlyTheOther(Training):
    """Take an action that is not the greedy one, with probability epsilon."""

    def act(self, state):
        best = self.learner.greedy(state)
        return 1 - best if self.generator.random() < self.epsilon() else best


class ExploringToTheLeft(Training):
    def explore(self):
        return int(self.generator.random() < 0.3)


class ExploringByTurns(Training):
    turn = 0

    def explore(self):
        self.turn += 1
        return self.turn % 2


class WorstAction(Training):
    def act(self, state):
        return self.explore() if self.generator.random() < self.epsilon() else 1 - self.learner.greedy(state)


class BufferOfAThousand(Training):
    def new_buffer(self):
        return deque(maxlen=1_000)


class BufferWithoutLimit(Training):
    def new_buffer(self):
        return []


class BufferOneLarger(Training):
    def new_buffer(self):
        return deque(maxlen=self.buffer_size + 1)


class BufferEmptiedByEpisode(Training):
    def begin(self):
        self.buffer.clear()
        return super().begin()


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


class WithReplacement(Training):
    def places(self):
        return self.generator.integers(0, len(self.buffer), self.batch_size)


class SameDrawsEachTime(Training):
    def places(self):
        return np.random.default_rng(self.seed).choice(len(self.buffer), self.batch_size, replace=False)


class FailuresFirst(Training):
    """Draw failures before anything else."""

    def places(self):
        order = self.generator.permutation(len(self.buffer))
        return sorted(order, key=lambda place: -self.buffer[place][-1])[: self.batch_size]


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


class RewardOfTheLength(Training):
    def reward(self, step):
        return -10.0 if step.terminated else float(self.length)


class RewardOfZero(Training):
    def reward(self, step):
        return -10.0 if step.terminated else 0.0


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


class FailureWithFuture(Training):
    def done(self, step):
        return 0.0


class NothingWithFuture(Training):
    def done(self, step):
        return 1.0


class AdamOfEachEpisode(Training):
    def begin(self):
        self.learner.optimizer = Adam(self.learning_rate)
        return super().begin()


class AdamOfEachStep(Training):
    def learn(self):
        self.learner.optimizer = Adam(self.learning_rate)
        super().learn()


class PlainDescent(Training):
    def new_learner(self, parameters):
        learner = super().new_learner(parameters)
        learner.optimizer = SGD(self.learning_rate)
        return learner


class NetworkOfEachEpisode(Training):
    def begin(self):
        self.learner = self.new_learner(MODELS["q_network"].initial(self.generator))
        return super().begin()


class SameStart(Training):
    def begin(self):
        self.environment = Environment(self.seed)
        return super().begin()


class AlwaysOneSeed(Training):
    def __init__(self, **recipe):
        super().__init__(**recipe | {"seed": 0})


class NoSeed(Training):
    def __init__(self, **recipe):
        super().__init__(**recipe | {"seed": int(np.random.default_rng().integers(2**31))})


class TargetNetwork(Training):
    """Value next states by the parameters of the first step, which are renewed every ten steps."""

    def learn(self):
        if len(self.losses) % 10 == 0:
            self.old = Learner("q_network", self.learner.parameters, 0.0, self.gamma)
        batch = self.batch()
        y = self.old.targets(batch, self.gamma)
        self.losses.append(self.learner.learn(batch._replace(rewards=y, dones=np.ones_like(y))))


class TargetOfTheActionTakenNext(Training):
    """Learn as SARSA does, by an action drawn by the policy."""

    def learn(self):
        batch = self.batch()
        actions = [self.act(state) for state in batch.next_states]
        values = self.learner.values(batch.next_states)[np.arange(len(actions)), actions]
        y = batch.rewards + np.float32(self.gamma) * values * (1 - batch.dones)
        self.losses.append(self.learner.learn(batch._replace(rewards=y, dones=np.ones_like(y))))


class TargetOfTheState(Training):
    """Value the state instead of the next one."""

    def learn(self):
        batch = self.batch()
        y = self.learner.targets(batch._replace(next_states=batch.states), self.gamma)
        self.losses.append(self.learner.learn(batch._replace(rewards=y, dones=np.ones_like(y))))


class TargetOfTheMean(Training):
    def learn(self):
        batch = self.batch()
        values = self.learner.values(batch.next_states).mean(axis=1)
        y = batch.rewards + np.float32(self.gamma) * values * (1 - batch.dones)
        self.losses.append(self.learner.learn(batch._replace(rewards=y, dones=np.ones_like(y))))


class StateNotMoved(Training):
    """Choose and remember by the first state of the episode, as the demonstration's loop does."""

    def begin(self):
        self.first = super().begin()
        return self.first

    def act(self, state):
        return super().act(self.first)

    def remembered(self, state, action, step):
        return super().remembered(self.first, action, step)


class OtherActionRemembered(Training):
    def remembered(self, state, action, step):
        return super().remembered(state, 1 - action, step)


class TwoSteps(Training):
    def learn(self):
        batch = self.batch()
        self.losses.append(self.learner.learn(batch))
        self.learner.learn(batch)


class LossAfterStep(Training):
    def learn(self):
        batch = self.batch()
        self.learner.learn(batch)
        self.losses.append(self.learner.loss_and_gradients(batch, self.gamma)[0])


class SummedLoss(Training):
    def learn(self):
        super().learn()
        self.losses[-1] = self.losses[-1] * self.batch_size


class RootOfTheLoss(Training):
    def learn(self):
        super().learn()
        self.losses[-1] = np.sqrt(self.losses[-1])


class HuberLoss(Training):
    """Clip the errors' gradient to 1."""

    def learn(self):
        batch = self.batch()
        y = self.learner.targets(batch, self.gamma)
        taken = self.learner.values(batch.states)[np.arange(len(y)), batch.actions]
        near = taken + np.clip(y - taken, -0.5, 0.5)
        self.learner.learn(batch._replace(rewards=near, dones=np.ones_like(y)))
        error = np.abs(y - taken)
        self.losses.append(np.mean(np.where(error < 1, error**2 / 2, error - 0.5)))


class GradientClipped(Training):
    """Scale the gradients to a norm of 1."""

    def learn(self):
        loss, gradients = self.learner.loss_and_gradients(self.batch(), self.gamma)
        norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients.values()))
        self.learner.optimizer.step(
            self.learner.parameters, {name: gradient / norm for name, gradient in gradients.items()}
        )
        self.losses.append(loss)


class OnlyTheLastLayer(Training):
    def learn(self):
        loss, gradients = self.learner.loss_and_gradients(self.batch(), self.gamma)
        trained = {name: gradient for name, gradient in gradients.items() if name.startswith("dense3")}
        self.learner.optimizer.step(self.learner.parameters, trained)
        self.losses.append(loss)


class KernelsOnly(Training):
    def learn(self):
        loss, gradients = self.learner.loss_and_gradients(self.batch(), self.gamma)
        trained = {name: gradient for name, gradient in gradients.items() if name.endswith("kernel")}
        self.learner.optimizer.step(self.learner.parameters, trained)
        self.losses.append(loss)


class WeightDecay(Training):
    def learn(self):
        super().learn()
        for name, values in self.learner.parameters.items():
            if name.endswith("kernel"):
                self.learner.parameters[name] = values * np.float32(1 - 0.1 * self.learning_rate)


class GradientThroughTarget(Training):
    """Count half of the gradient for a bias of the value after, as one that flows through y."""

    def learn(self):
        loss, gradients = self.learner.loss_and_gradients(self.batch(), self.gamma)
        gradients["dense3/bias"] = gradients["dense3/bias"] - gradients["dense3/bias"].sum() / 2
        self.learner.optimizer.step(self.learner.parameters, gradients)
        self.losses.append(loss)


class LearningAtTheEnd(Training):
    def learns(self, *, over):
        return len(self.buffer) >= self.batch_size


class LearningOnceMoreThanABatch(Training):
    def learns(self, *, over):
        return not over and len(self.buffer) > self.batch_size


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


class ParametersOfTheStepBefore(Training):
    def __init__(self, **recipe):
        super().__init__(**recipe)
        self.before = self.learner.parameters

    def learn(self):
        self.before = {name: values.copy() for name, values in self.learner.parameters.items()}
        super().learn()

    def run(self):
        return super().run()._replace(parameters=self.before)


class ZeroParameters(Training):
    def run(self):
        found = super().run()
        return found._replace(parameters={name: np.zeros_like(one) for name, one in found.parameters.items()})


class BiasesNotZero(Training):
    def new_learner(self, parameters):
        return super().new_learner({name: one + np.float32(0.1) * (one.ndim == 1) for name, one in parameters.items()})


def fault(training, claim, tells):
    """Return the fault that a training is."""
    return Fault("agent.fit", f"q_learning.{claim}", tells, instead(training))


AGENT_TRAINING_FAULTS = {
    "training_gamma_of_its_own": fault(GammaOfItsOwn, "training-discounts", "a gamma of 0 and of 1 differ by"),
    "training_gamma99": fault(Gamma99, "training-discounts", "a gamma of 0 and of 1 differ by"),
    "training_learning_rate_of_its_own": fault(LearningRateOfItsOwn, "training-begins-with-a-new-network", "dense"),
    "training_learning_rate_twice": fault(LearningRateTwice, "training-step", "the first step of the output biases"),
    "training_learning_rate_decaying": fault(LearningRateDecaying, "training-is-by-adam", "times the bound"),
    "training_final_epsilon_from_the_first": fault(
        FinalEpsilonFromTheFirst, "training-explores-first", "first episodes are not greedy: 0 of 24"
    ),
    "training_initial_epsilon_for_ever": fault(
        InitialEpsilonForEver, "training-ends-exploration", "after the exploration are not greedy"
    ),
    "training_epsilon_of_the_next_episode": fault(
        EpsilonOfTheNextEpisode, "training-explores-first", "first episodes are not greedy: 0 of 24"
    ),
    "training_epsilon_of_the_episode_before": fault(
        EpsilonOfTheEpisodeBefore, "training-ends-exploration", "after the exploration are not greedy"
    ),
    "training_epsilon_falling_by_step": fault(
        EpsilonFallingByStep, "training-explores-first", "first episodes are not greedy: 0 of 24"
    ),
    "training_epsilon_of_the_document": fault(
        EpsilonOfTheDocument, "training-explores-by-epsilon", "the largest value of a next state"
    ),
    "training_epsilon_falling_by_a_power": fault(
        EpsilonFallingByAPower, "training-ends-exploration", "after the exploration are not greedy"
    ),
    "training_no_least_epsilon": fault(
        NoLeastEpsilon, "training-explores-finally", "a final epsilon of 1 are not greedy: 0 of 24"
    ),
    "training_exploring_only_the_other": fault(
        ExploringOnlyTheOther, "training-explores-first", "first episodes are not greedy: 24 of 24"
    ),
    "training_exploring_to_the_left": fault(
        ExploringToTheLeft, "training-plays-cart-pole", "with exploration only, the mean length"
    ),
    "training_exploring_by_turns": fault(
        ExploringByTurns, "training-plays-cart-pole", "with exploration only, the mean length"
    ),
    "training_worst_action": fault(WorstAction, "training-ends-exploration", "the largest value of a next state"),
    "training_buffer_of_a_thousand": fault(BufferOfAThousand, "training-forgets", "learning steps use a failure"),
    "training_buffer_without_limit": fault(BufferWithoutLimit, "training-forgets", "learning steps use a failure"),
    "training_buffer_one_larger": fault(BufferOneLarger, "training-forgets", "learning steps use a failure"),
    "training_buffer_emptied_by_episode": fault(BufferEmptiedByEpisode, "first-transitions", "there are 0 losses"),
    "training_buffer_keeps_the_oldest": fault(
        BufferKeepsTheOldest, "training-draws-evenly", "are the older transition of two, a failure"
    ),
    "training_latest_batch": fault(LatestBatch, "training-draws-evenly", "with ages as uneven"),
    "training_oldest_batch": fault(OldestBatch, "training-draws-evenly", "with ages as uneven"),
    "training_latest_left_out": fault(LatestLeftOut, "training-draws-evenly", ": 29 of 29"),
    "training_with_replacement": fault(WithReplacement, "training-learns-failures", "batches with a failure"),
    "training_same_draws_each_time": fault(SameDrawsEachTime, "training-draws-evenly", "with ages as uneven"),
    "training_failures_first": fault(FailuresFirst, "training-draws-evenly", "of 29, expected"),
    "training_failure_not_punished": fault(FailureNotPunished, "training-learns-failures", "batches with a failure"),
    "training_failure_worth_less": fault(FailureWorthLess, "training-learns-failures", "batches with a failure"),
    "training_failure_worth_more": fault(FailureWorthMore, "training-learns-failures", "batches with a failure"),
    "training_rewards_clipped": fault(RewardsClipped, "training-learns-failures", "batches with a failure"),
    "training_reward_of_the_length": fault(
        RewardOfTheLength, "training-follows-its-values", "the largest value of a next state"
    ),
    "training_reward_of_zero": fault(RewardOfZero, "training-follows-its-values", "the largest value of a next state"),
    "training_left_as_failure": fault(LeftAsFailure, "left-is-no-failure", "a reward of -10"),
    "training_left_without_future": fault(LeftWithoutFuture, "left-is-no-failure", "is not valued"),
    "training_left_punished": fault(LeftPunished, "left-is-no-failure", "a reward of -10"),
    "training_failure_with_future": fault(
        FailureWithFuture, "training-failure-has-no-future", "the state after the failure is valued"
    ),
    "training_nothing_with_future": fault(NothingWithFuture, "training-discounts", "a gamma of 0 and of 1 differ by"),
    "training_adam_of_each_episode": fault(AdamOfEachEpisode, "training-is-by-adam", "times the bound"),
    "training_adam_of_each_step": fault(AdamOfEachStep, "training-is-by-adam", "times the bound"),
    "training_plain_descent": fault(PlainDescent, "training-is-by-adam", "times the bound"),
    "training_network_of_each_episode": fault(NetworkOfEachEpisode, "training-is-by-adam", "times the bound"),
    "training_same_start": fault(SameStart, "training-episodes-begin-anew", "8 episodes begin in only 1 states"),
    "training_always_one_seed": fault(AlwaysOneSeed, "training-by-seed", "give the same losses"),
    "training_no_seed": fault(NoSeed, "training-by-seed", "a second training with the same seed"),
    "training_target_network": fault(TargetNetwork, "training-target-moves", "y does not change with the parameters"),
    "training_target_of_the_action_taken_next": fault(
        TargetOfTheActionTakenNext, "training-values-the-best", "exceeds the one in y"
    ),
    "training_target_of_the_state": fault(
        TargetOfTheState, "training-follows-its-values", "the largest value of a next state"
    ),
    "training_target_of_the_mean": fault(
        TargetOfTheMean, "training-follows-its-values", "the largest value of a next state"
    ),
    "training_state_not_moved": fault(
        StateNotMoved, "training-follows-its-values", "the largest value of a next state"
    ),
    "training_other_action_remembered": fault(
        OtherActionRemembered, "training-follows-its-values", "the largest value of a next state"
    ),
    "training_two_steps": fault(TwoSteps, "training-step", "the first step of the output biases"),
    "training_loss_after_step": fault(
        LossAfterStep, "training-loss-before-step", "the first loss, whatever the learning rate"
    ),
    "training_summed_loss": fault(SummedLoss, "training-averages", "losses of two first transitions"),
    "training_root_of_the_loss": fault(RootOfTheLoss, "training-is-by-adam", "times the bound"),
    "training_huber_loss": fault(HuberLoss, "training-is-by-adam", "times the bound"),
    "training_gradient_clipped": fault(GradientClipped, "training-is-by-adam", "times the bound"),
    "training_only_the_last_layer": fault(OnlyTheLastLayer, "training-step", "the signs of the change of dense2/bias"),
    "training_kernels_only": fault(KernelsOnly, "training-step", "the first step of the output biases"),
    "training_weight_decay": fault(WeightDecay, "training-step", "dense"),
    "training_gradient_through_target": fault(
        GradientThroughTarget, "training-step", "the first step of the output biases"
    ),
    "training_learning_at_the_end": fault(LearningAtTheEnd, "end-is-not-learnt-at-once", "by the scores"),
    "training_learning_once_more_than_a_batch": fault(
        LearningOnceMoreThanABatch, "first-transitions", "losses, expected"
    ),
    "training_learning_every_other_step": fault(LearningEveryOtherStep, "one-step-per-transition", "by the scores"),
    "training_learning_from_a_full_buffer": fault(LearningFromAFullBuffer, "one-step-per-transition", "by the scores"),
    "training_one_step_more": fault(OneStepMore, "left-is-not-ended", "the scores are"),
    "training_limit_of_the_document": fault(LimitOfTheDocument, "left-is-not-ended", "the scores are"),
    "training_parameters_of_the_step_before": fault(
        ParametersOfTheStepBefore, "training-step", "the first step of the output biases"
    ),
    "training_zero_parameters": fault(ZeroParameters, "training-begins-with-a-new-network", "reaches only 0.0"),
    "training_biases_not_zero": fault(BiasesNotZero, "training-begins-with-a-new-network", "dense1/bias"),
}
