
#include <cmath>
#include "assay_peer.hpp"
#include "primitives.hpp"

#include <cmath>
#include <random>

using namespace primitives;
using assay::Arguments;
using assay::InvalidArgument;
using assay::Value;

namespace {

constexpr float kMomentum = 0.99F;

memory::dims pair(const Arguments& arguments, const std::string& name) { return arguments.integers(name, {1, 1}); }

const Array* optional(const Arguments& arguments, const std::string& name) {
    return arguments.has(name) ? &arguments.array(name) : nullptr;
}

// Add two arrays of one shape.
Array sum(Array left, const Array& right) {
    for (std::int64_t place = 0; place < left.size(); ++place) left.data<float>()[place] += right.data<float>()[place];
    return left;
}

Array scalar(double value) {
    Array result = Array::zeros<float>({});
    *result.data<float>() = static_cast<float>(value);
    return result;
}

// Read step `time` of [batch, time, features]. `put_step` writes one.
Array step_of(const Array& inputs, std::int64_t time) {
    const auto batch = inputs.shape()[0], length = inputs.shape()[1], features = inputs.shape()[2];
    Array step = Array::zeros<float>({batch, features});
    for (std::int64_t row = 0; row < batch; ++row) {
        std::copy_n(inputs.data<float>() + (row * length + time) * features, features, step.data<float>() + row * features);
    }
    return step;
}

void put_step(Array& every, std::int64_t time, const Array& step) {
    const auto batch = every.shape()[0], length = every.shape()[1], units = every.shape()[2];
    for (std::int64_t row = 0; row < batch; ++row) {
        std::copy_n(step.data<float>() + row * units, units, every.data<float>() + (row * length + time) * units);
    }
}

Array simple_rnn_step(const Array& inputs, const Array& state, const Arguments& arguments) {
    const Array sums = sum(multiply(inputs, arguments.array("kernel"), nullptr),
                           multiply(state, arguments.array("recurrent_kernel"), nullptr));
    return activate(arguments.is_given("activation") ? arguments.text("activation") : "tanh", sums);
}

float divisor_of(const Arguments& arguments) {
    const auto divisor = static_cast<float>(arguments.number("temperature"));
    if (!(divisor > 0) || std::isinf(divisor)) throw InvalidArgument("the temperature must be a number above 0");
    return divisor;
}

std::mt19937_64 generator_of(const Arguments& arguments) {
    return std::mt19937_64(static_cast<std::uint64_t>(arguments.integer("seed")));
}

Value adam_step(const Arguments& arguments) {
    Array parameter = arguments.array("parameter"), first = arguments.array("first_moment");
    Array second = arguments.array("second_moment");
    const Array& gradient = arguments.array("gradient");
    const auto step = static_cast<double>(arguments.integer("step"));
    const double root = std::sqrt(1 - std::pow(0.999, step));
    const auto rate = static_cast<float>(arguments.number("learning_rate") * root / (1 - std::pow(0.9, step)));
    for (std::int64_t place = 0; place < parameter.size(); ++place) {
        const float slope = gradient.data<float>()[place];
        float &m = first.data<float>()[place], &v = second.data<float>()[place];
        m = 0.9F * m + static_cast<float>(1 - 0.9) * slope;
        v = 0.999F * v + static_cast<float>(1 - 0.999) * slope * slope;
        parameter.data<float>()[place] -= rate * m / (std::sqrt(v) + 1e-7F);
    }
    return std::vector<Array>{parameter, first, second};
}

Value sample(const Arguments& arguments) {
    const Array& probabilities = arguments.array("probabilities");
    const auto batch = probabilities.shape()[0], classes = probabilities.shape()[1];
    std::mt19937_64 generator = generator_of(arguments);
    Array drawn = Array::zeros<std::int32_t>({batch});
    for (std::int64_t row = 0; row < batch; ++row) {
        const float* weights = probabilities.data<float>() + row * classes;
        if (std::any_of(weights, weights + classes, [](float weight) { return std::isnan(weight); })) {
            throw InvalidArgument("a probability is NaN");
        }
        drawn.data<std::int32_t>()[row] = std::discrete_distribution<std::int32_t>(weights, weights + classes)(generator);
    }
    return drawn;
}

Value accuracy(const Arguments& arguments) {
    const auto batches = arguments.batches("batches");
    Array results = Array::zeros<float>({static_cast<std::int64_t>(batches.size())});
    std::int64_t right = 0, count = 0;
    for (std::size_t number = 0; number < batches.size(); ++number) {
        const auto labels = batches[number][0].integers();
        const Array& predictions = batches[number][1];
        const auto classes = predictions.shape()[1];
        for (std::size_t row = 0; row < labels.size(); ++row) {
            const float* scores = predictions.data<float>() + static_cast<std::int64_t>(row) * classes;
            right += std::max_element(scores, scores + classes) - scores == labels[row];
            ++count;
        }
        results.data<float>()[number] = count ? static_cast<float>(static_cast<double>(right) / static_cast<double>(count)) : 0;
    }
    return results;
}

void add_functions(assay::Peer& peer) {
    peer.add("ops", "dense", [](const Arguments& a) {
        return activate(a.text("activation"), multiply(a.array("inputs"), a.array("kernel"), optional(a, "bias")));
    });
    for (const std::string name : {"relu", "tanh", "sigmoid"}) {
        peer.add("ops", name, [name](const Arguments& a) { return activate(name, a.array("inputs")); });
    }
    peer.add("ops", "softmax", [](const Arguments& a) { return softmax(a.array("logits")); });
    peer.add("ops", "flatten", [](const Arguments& a) {
        const Shape& shape = a.array("inputs").shape();
        return a.array("inputs").reshaped({shape[0], assay::size_of({shape.begin() + 1, shape.end()})});
    });
    peer.add("ops", "reshape", [](const Arguments& a) {
        Shape shape = a.integers("target_shape");
        shape.insert(shape.begin(), a.array("inputs").shape()[0]);
        return a.array("inputs").reshaped(shape);
    });
    peer.add("ops", "conv2d", [](const Arguments& a) {
        const Convolution convolution(a.array("inputs"), a.array("kernel"), pair(a, "strides"), a.text("padding", "valid"));
        return activate(a.text("activation"), convolution.run(optional(a, "bias")));
    });
    peer.add("ops", "conv2d_gradients", [](const Arguments& a) {
        const Convolution convolution(a.array("inputs"), a.array("kernel"), pair(a, "strides"), a.text("padding"));
        return convolution.differentiate(a.array("upstream"));
    });
    for (const auto& [name, kind] : {std::pair<std::string, algorithm>{"max", algorithm::pooling_max},
                                     {"average", algorithm::pooling_avg_exclude_padding}}) {
        const algorithm chosen = kind;
        peer.add("ops", name + "_pool2d", [chosen](const Arguments& a) {
            return Pooling(chosen, a.array("inputs"), pair(a, "pool_size"), pair(a, "strides"), a.text("padding")).run();
        });
        peer.add("ops", name + "_pool2d_gradient", [chosen](const Arguments& a) {
            return Pooling(chosen, a.array("inputs"), pair(a, "pool_size"), pair(a, "strides"), a.text("padding"))
                .differentiate(a.array("upstream"));
        });
    }
    const auto normalization = [](const Arguments& a) {
        return BatchNormalization(a.array("inputs"), a.array("gamma"), a.array("beta"), a.array("moving_mean"),
                                  a.array("moving_variance"), a.boolean("training"));
    };
    peer.add("ops", "batch_normalization", [normalization](const Arguments& a) {
        BatchNormalization layer = normalization(a);
        Array outputs = layer.run(), mean = a.array("moving_mean"), variance = a.array("moving_variance");
        if (layer.training) {
            for (std::int64_t place = 0; place < mean.size(); ++place) {
                for (auto [moving, batch] : {std::pair{&mean, &layer.mean}, std::pair{&variance, &layer.variance}}) {
                    float& value = moving->data<float>()[place];
                    value = kMomentum * value + (1 - kMomentum) * batch->data<float>()[place];
                }
            }
        }
        return std::vector<Array>{outputs, mean, variance};
    });
    peer.add("ops", "batch_normalization_gradients", [normalization](const Arguments& a) {
        return normalization(a).differentiate(a.array("upstream"));
    });
    peer.add("ops", "dropout", [](const Arguments& a) {
        Array outputs = a.array("inputs");
        if (!a.boolean("training")) return outputs;
        const double rate = a.number("rate");
        std::mt19937_64 generator = generator_of(a);
        std::bernoulli_distribution dropped(rate);
        for (std::int64_t place = 0; place < outputs.size(); ++place) {
            float& value = outputs.data<float>()[place];
            value = dropped(generator) ? 0 : value / static_cast<float>(1 - rate);
        }
        return outputs;
    });
    peer.add("ops", "simple_rnn_cell", [](const Arguments& a) {
        return simple_rnn_step(a.array("inputs"), a.array("state"), a);
    });
    peer.add("ops", "simple_rnn", [](const Arguments& a) {
        const Array& inputs = a.array("inputs");
        const auto batch = inputs.shape()[0], length = inputs.shape()[1], units = a.array("recurrent_kernel").shape()[0];
        Array state = Array::zeros<float>({batch, units}), every = Array::zeros<float>({batch, length, units});
        for (std::int64_t time = 0; time < length; ++time) {
            state = simple_rnn_step(step_of(inputs, time), state, a);
            put_step(every, time, state);
        }
        return every;
    });
    peer.add("ops", "lstm_cell", [](const Arguments& a) {
        return lstm_step(a.array("inputs"), a.array("hidden"), a.array("carry"), a.array("kernel"),
                         a.array("recurrent_kernel"), a.array("bias"));
    });
    peer.add("ops", "lstm", [](const Arguments& a) {
        const Array& inputs = a.array("inputs");
        const auto batch = inputs.shape()[0], length = inputs.shape()[1], units = a.array("recurrent_kernel").shape()[0];
        std::vector<Array> state(2, Array::zeros<float>({batch, units}));
        std::vector<Array> every(2, Array::zeros<float>({batch, length, units}));
        for (std::int64_t time = 0; time < length; ++time) {
            state = lstm_step(step_of(inputs, time), state[0], state[1], a.array("kernel"), a.array("recurrent_kernel"),
                              a.array("bias"));
            for (int kind = 0; kind < 2; ++kind) put_step(every[kind], time, state[kind]);
        }
        return every;
    });
    peer.add("ops", "softmax_with_temperature", [](const Arguments& a) {
        const float divisor = divisor_of(a);
        Array logits = a.array("logits");
        for (std::int64_t place = 0; place < logits.size(); ++place) logits.data<float>()[place] /= divisor;
        return softmax(logits);
    });
    peer.add("ops", "sample", sample);
    peer.add("ops", "one_hot", [](const Arguments& a) {
        const auto labels = a.array("labels").integers();
        const auto depth = a.integer("depth");
        Shape shape = a.array("labels").shape();
        shape.push_back(depth);
        Array rows = Array::zeros<float>(shape);
        for (std::size_t row = 0; row < labels.size(); ++row) {
            if (labels[row] >= 0 && labels[row] < depth) rows.data<float>()[static_cast<std::int64_t>(row) * depth + labels[row]] = 1;
        }
        return rows;
    });
    peer.add("ops", "categorical_crossentropy", [](const Arguments& a) {
        const Array &targets = a.array("targets"), &probabilities = a.array("probabilities");
        const auto batch = targets.shape()[0], classes = targets.shape()[1];
        Array losses = Array::zeros<float>({batch});
        for (std::int64_t place = 0; place < targets.size(); ++place) {
            const float target = targets.data<float>()[place];
            // The logarithm of the standard library: oneDNN's has an error of dozens of units in the last place.
            // 0 times the logarithm of 0 counts as 0.
            if (target != 0) losses.data<float>()[place / classes] -= target * std::log(probabilities.data<float>()[place]);
        }
        return losses;
    });
    peer.add("ops", "sparse_categorical_crossentropy", [](const Arguments& a) {
        const auto labels = a.array("labels").integers();
        const Array& probabilities = a.array("probabilities");
        Array losses = Array::zeros<float>({static_cast<std::int64_t>(labels.size())});
        for (std::size_t row = 0; row < labels.size(); ++row) {
            const auto place = static_cast<std::int64_t>(row) * probabilities.shape()[1] + labels[row];
            losses.data<float>()[row] = -std::log(probabilities.data<float>()[place]);
        }
        return losses;
    });
    peer.add("ops", "mean_squared_error", [](const Arguments& a) {
        const Array &targets = a.array("targets"), &predictions = a.array("predictions");
        double total = 0;
        for (std::int64_t place = 0; place < targets.size(); ++place) {
            const double difference = double{predictions.data<float>()[place]} - double{targets.data<float>()[place]};
            total += difference * difference;
        }
        return scalar(total / static_cast<double>(targets.size()));
    });
    peer.add("ops", "sgd_step", [](const Arguments& a) {
        const auto rate = static_cast<float>(a.number("learning_rate"));
        return sum(apply(algorithm::eltwise_linear, a.array("gradient"), -rate), a.array("parameter"));
    });
    peer.add("ops", "adam_step", adam_step);
    peer.add("ops", "sparse_categorical_accuracy", accuracy);
    peer.add("ops", "glorot_uniform", [](const Arguments& a) {
        const Shape shape = a.integers("shape");
        const double limit = std::sqrt(6.0 / static_cast<double>(shape[0] + shape[1]));
        std::mt19937_64 generator = generator_of(a);
        std::uniform_real_distribution<double> between(-limit, limit);
        Array drawn = Array::zeros<float>(shape);
        std::generate_n(drawn.data<float>(), drawn.size(), [&] { return static_cast<float>(between(generator)); });
        return drawn;
    });
    peer.add("ops", "zeros", [](const Arguments& a) { return Array::zeros<float>(a.integers("shape")); });

    peer.add("datasets", "preprocess", [](const Arguments& a) {
        const Array &images = a.array("images"), &labels = a.array("labels");
        Shape shape = images.shape();
        shape.push_back(1);
        Array scaled = Array::zeros<float>(shape), converted = Array::zeros<std::int32_t>(labels.shape());
        std::transform(images.data<std::uint8_t>(), images.data<std::uint8_t>() + images.size(), scaled.data<float>(),
                       [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255; });
        std::copy_n(labels.data<std::uint8_t>(), labels.size(), converted.data<std::int32_t>());
        return std::vector<Array>{scaled, converted};
    });
    peer.add("datasets", "sample_batch", [](const Arguments& a) {
        const auto count = a.array("images").shape()[0], batch_size = a.integer("batch_size");
        std::mt19937_64 generator = generator_of(a);
        std::uniform_int_distribution<std::int64_t> anywhere(0, count - 1);
        std::vector<std::int64_t> places(static_cast<std::size_t>(batch_size));
        std::generate(places.begin(), places.end(), [&] { return anywhere(generator); });
        std::vector<Array> batch;
        for (const char* name : {"images", "labels"}) {
            const Array& every = a.array(name);
            const auto bytes = every.content().size() / static_cast<std::size_t>(count);
            std::vector<char> content;
            for (const auto place : places) {
                const auto start = every.content().begin() + place * static_cast<std::int64_t>(bytes);
                content.insert(content.end(), start, start + static_cast<std::int64_t>(bytes));
            }
            Shape shape = every.shape();
            shape[0] = batch_size;
            batch.emplace_back(every.dtype(), shape, content);
        }
        return batch;
    });
}

}  // namespace

int main() {
    assay::Peer peer("onednn", "0.1.0");
    const dnnl_version_t* version = dnnl_version();
    peer.uses("oneDNN", std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch));
    add_functions(peer);
    peer.serve();
}
