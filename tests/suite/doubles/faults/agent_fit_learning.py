"""Faults of the agent's training: how it learns from a batch."""

import numpy as np

from assay.alternatives.numpy.agent import Learner
from assay.alternatives.numpy.models import MODELS
from assay.alternatives.numpy.optimizers import SGD, Adam
from assay.contract import Learnt
from doubles.agent_training import Training, instead
from doubles.faulty import Fault


class GammaOfItsOwn(Training):
    """Discount by a gamma of its own."""

    own = 0.0

    def new_learner(self, parameters):
        return Learner("q_network", parameters, self.learning_rate, self.own)


class Gamma99(GammaOfItsOwn):
    own = 0.99


class NothingWithFuture(Training):
    def done(self, step):
        return 1.0


class LearningRateOfItsOwn(Training):
    def new_learner(self, parameters):
        return Learner("q_network", parameters, 0.001, self.gamma)


class ZeroParameters(Training):
    def run(self):
        found = super().run()
        return found._replace(parameters={name: np.zeros_like(one) for name, one in found.parameters.items()})


class BiasesNotZero(Training):
    def new_learner(self, parameters):
        return super().new_learner({name: one + np.float32(0.1) * (one.ndim == 1) for name, one in parameters.items()})


class BestEpisode(Training):
    """Return the parameters after the longest episode."""

    best = -1

    def play(self):
        super().play()
        if self.scores[-1] >= self.best:
            self.best = self.scores[-1]
            self.kept = {name: values.copy() for name, values in self.learner.parameters.items()}

    def run(self):
        found = super().run()
        return Learnt(found.scores, found.losses, self.kept)


class LearningRateTwice(Training):
    def new_learner(self, parameters):
        return Learner("q_network", parameters, 2 * self.learning_rate, self.gamma)


class TwoSteps(Training):
    def learn(self):
        batch = self.batch()
        self.losses.append(self.learner.learn(batch))
        self.learner.learn(batch)


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


class ParametersOfTheStepBefore(Training):
    def __init__(self, **recipe):
        super().__init__(**recipe)
        self.before = self.learner.parameters

    def learn(self):
        self.before = {name: values.copy() for name, values in self.learner.parameters.items()}
        super().learn()

    def run(self):
        return super().run()._replace(parameters=self.before)


class LossAfterStep(Training):
    def learn(self):
        batch = self.batch()
        self.learner.learn(batch)
        self.losses.append(self.learner.loss_and_gradients(batch, self.gamma)[0])


class LearningRateDecaying(Training):
    def learn(self):
        super().learn()
        self.learner.optimizer.learning_rate *= 0.9


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


class SummedLoss(Training):
    def learn(self):
        super().learn()
        self.losses[-1] = self.losses[-1] * self.batch_size


FAULTS = {
    "training_gamma_of_its_own": Fault(
        "agent.fit", "q_learning.training-discounts", "a gamma of 0 and of 1 differ by", instead(GammaOfItsOwn)
    ),
    "training_gamma99": Fault(
        "agent.fit", "q_learning.training-discounts", "a gamma of 0 and of 1 differ by", instead(Gamma99)
    ),
    "training_nothing_with_future": Fault(
        "agent.fit", "q_learning.training-discounts", "a gamma of 0 and of 1 differ by", instead(NothingWithFuture)
    ),
    "training_learning_rate_of_its_own": Fault(
        "agent.fit", "q_learning.training-begins-with-a-new-network", "dense", instead(LearningRateOfItsOwn)
    ),
    "training_zero_parameters": Fault(
        "agent.fit", "q_learning.training-begins-with-a-new-network", "reaches only 0.0", instead(ZeroParameters)
    ),
    "training_biases_not_zero": Fault(
        "agent.fit", "q_learning.training-begins-with-a-new-network", "dense1/bias", instead(BiasesNotZero)
    ),
    "training_of_the_best_episode": Fault(
        "agent.fit", "q_learning.training-last-parameters", "the last of which is not the best", instead(BestEpisode)
    ),
    "training_learning_rate_twice": Fault(
        "agent.fit", "q_learning.training-step", "the first step of the output biases", instead(LearningRateTwice)
    ),
    "training_two_steps": Fault(
        "agent.fit", "q_learning.training-step", "the first step of the output biases", instead(TwoSteps)
    ),
    "training_only_the_last_layer": Fault(
        "agent.fit", "q_learning.training-step", "the signs of the change of dense2/bias", instead(OnlyTheLastLayer)
    ),
    "training_kernels_only": Fault(
        "agent.fit", "q_learning.training-step", "the first step of the output biases", instead(KernelsOnly)
    ),
    "training_weight_decay": Fault("agent.fit", "q_learning.training-step", "dense", instead(WeightDecay)),
    "training_gradient_through_target": Fault(
        "agent.fit", "q_learning.training-step", "the first step of the output biases", instead(GradientThroughTarget)
    ),
    "training_parameters_of_the_step_before": Fault(
        "agent.fit",
        "q_learning.training-step",
        "the first step of the output biases",
        instead(ParametersOfTheStepBefore),
    ),
    "training_loss_after_step": Fault(
        "agent.fit",
        "q_learning.training-loss-before-step",
        "the first loss, whatever the learning rate",
        instead(LossAfterStep),
    ),
    "training_learning_rate_decaying": Fault(
        "agent.fit", "q_learning.training-is-by-adam", "times the bound", instead(LearningRateDecaying)
    ),
    "training_adam_of_each_episode": Fault(
        "agent.fit", "q_learning.training-is-by-adam", "times the bound", instead(AdamOfEachEpisode)
    ),
    "training_adam_of_each_step": Fault(
        "agent.fit", "q_learning.training-is-by-adam", "times the bound", instead(AdamOfEachStep)
    ),
    "training_plain_descent": Fault(
        "agent.fit", "q_learning.training-is-by-adam", "times the bound", instead(PlainDescent)
    ),
    "training_network_of_each_episode": Fault(
        "agent.fit", "q_learning.training-is-by-adam", "times the bound", instead(NetworkOfEachEpisode)
    ),
    "training_root_of_the_loss": Fault(
        "agent.fit", "q_learning.training-is-by-adam", "times the bound", instead(RootOfTheLoss)
    ),
    "training_huber_loss": Fault("agent.fit", "q_learning.training-is-by-adam", "times the bound", instead(HuberLoss)),
    "training_gradient_clipped": Fault(
        "agent.fit", "q_learning.training-is-by-adam", "times the bound", instead(GradientClipped)
    ),
    "training_target_network": Fault(
        "agent.fit", "q_learning.training-target-moves", "y does not change with the parameters", instead(TargetNetwork)
    ),
    "training_target_of_the_action_taken_next": Fault(
        "agent.fit", "q_learning.training-values-the-best", "exceeds the one in y", instead(TargetOfTheActionTakenNext)
    ),
    "training_summed_loss": Fault(
        "agent.fit", "q_learning.training-averages", "losses of two first transitions", instead(SummedLoss)
    ),
}
