// The oneDNN primitives that the operations use, on arrays in the contract's layouts.

#pragma once

#include "assay_peer.hpp"

#include <algorithm>
#include <unordered_map>

#include <oneapi/dnnl/dnnl.hpp>

namespace primitives {

using assay::Array;
using assay::Shape;
using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;
using tag = dnnl::memory::format_tag;

using Operands = std::unordered_map<int, memory>;

inline dnnl::engine& engine() {
    static dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
    return cpu;
}

inline memory::desc describe(const memory::dims& dims, tag format) {
    return memory::desc(dims, memory::data_type::f32, format);
}

// View an array as oneDNN memory, without a copy.
inline memory view(const Array& array, const memory::dims& dims, tag format) {
    return memory(describe(dims, format), engine(), const_cast<float*>(array.data<float>()));
}

template <typename Primitive, typename Description> void execute(const Description& description, Operands operands) {
    dnnl::stream stream(engine());
    Primitive(description).execute(stream, operands);
    stream.wait();
}

// A window on images [batch, height, width, channels].
struct Window {
    memory::dims size, strides, before, after, output;

    Window(const Shape& images, memory::dims window, memory::dims steps, const std::string& padding)
        : size(std::move(window)), strides(std::move(steps)) {
        for (int axis = 0; axis < 2; ++axis) {
            const auto length = images[axis + 1], covered = (length + strides[axis] - 1) / strides[axis];
            const auto added =
                padding == "same" ? std::max<std::int64_t>((covered - 1) * strides[axis] + size[axis] - length, 0) : 0;
            before.push_back(added / 2);
            after.push_back(added - added / 2);
            output.push_back((length + added - size[axis]) / strides[axis] + 1);
        }
    }
};

// oneDNN lists the axes of images in an order that differs from their memory layout.
inline memory::dims channels_second(const Shape& images) { return {images[0], images[3], images[1], images[2]}; }
inline memory::dims filters_first(const Shape& kernel) { return {kernel[3], kernel[2], kernel[0], kernel[1]}; }

inline Array apply(algorithm function, const Array& inputs, float alpha = 0, float beta = 0) {
    Array outputs = Array::zeros<float>(inputs.shape());
    if (inputs.size() == 0) return outputs;
    const memory::dims dims{inputs.size()};
    const dnnl::eltwise_forward::desc operation(prop_kind::forward_inference, function, describe(dims, tag::a), alpha, beta);
    execute<dnnl::eltwise_forward>(
        dnnl::eltwise_forward::primitive_desc(operation, engine()),
        {{DNNL_ARG_SRC, view(inputs, dims, tag::a)}, {DNNL_ARG_DST, view(outputs, dims, tag::a)}});
    return outputs;
}

inline Array activate(const std::string& name, const Array& sums) {
    if (name == "relu") return apply(algorithm::eltwise_relu, sums);
    if (name == "tanh") return apply(algorithm::eltwise_tanh, sums);
    if (name == "sigmoid") return apply(algorithm::eltwise_logistic, sums);
    return sums;
}

inline Array softmax(const Array& logits) {
    Array outputs = Array::zeros<float>(logits.shape());
    if (logits.size() == 0) return outputs;
    const memory::dims dims{logits.size() / logits.shape().back(), logits.shape().back()};
    const dnnl::softmax_forward::desc operation(prop_kind::forward_inference, describe(dims, tag::ab), 1);
    execute<dnnl::softmax_forward>(
        dnnl::softmax_forward::primitive_desc(operation, engine()),
        {{DNNL_ARG_SRC, view(logits, dims, tag::ab)}, {DNNL_ARG_DST, view(outputs, dims, tag::ab)}});
    return outputs;
}

// Multiply rows by a kernel, and add the bias, if any.
inline Array multiply(const Array& inputs, const Array& kernel, const Array* bias) {
    Shape shape = inputs.shape();
    const auto length = kernel.shape()[0], units = kernel.shape()[1];
    if (shape.back() != length) throw assay::InvalidArgument("the inputs do not fit the kernel");
    shape.back() = units;
    Array outputs = Array::zeros<float>(shape);
    if (outputs.size() == 0) return outputs;
    const memory::dims rows{inputs.size() / length, length}, weights{length, units}, offsets{1, units},
        results{rows[0], units};
    Operands operands{{DNNL_ARG_SRC, view(inputs, rows, tag::ab)},
                      {DNNL_ARG_WEIGHTS, view(kernel, weights, tag::ab)},
                      {DNNL_ARG_DST, view(outputs, results, tag::ab)}};
    const auto source = describe(rows, tag::ab), factor = describe(weights, tag::ab), target = describe(results, tag::ab);
    if (bias) operands.insert({DNNL_ARG_BIAS, view(*bias, offsets, tag::ab)});
    const dnnl::matmul::desc operation =
        bias ? dnnl::matmul::desc(source, factor, describe(offsets, tag::ab), target) : dnnl::matmul::desc(source, factor, target);
    execute<dnnl::matmul>(dnnl::matmul::primitive_desc(operation, engine()), operands);
    return outputs;
}

struct Convolution {
    const Array &inputs, &kernel;
    Window window;
    memory::dims images, weights, offsets, results;

    Convolution(const Array& inputs, const Array& kernel, const memory::dims& strides, const std::string& padding)
        : inputs(inputs), kernel(kernel),
          window(inputs.shape(), {kernel.shape()[0], kernel.shape()[1]}, strides, padding),
          images(channels_second(inputs.shape())), weights(filters_first(kernel.shape())), offsets{kernel.shape()[3]},
          results{images[0], weights[0], window.output[0], window.output[1]} {}

    Shape shape() const { return {results[0], results[2], results[3], results[1]}; }

    dnnl::convolution_forward::primitive_desc forward(bool biased) const {
        const auto source = describe(images, tag::nhwc), factor = describe(weights, tag::hwio), target = describe(results, tag::nhwc);
        const auto kind = prop_kind::forward_training;
        const auto direct = algorithm::convolution_direct;
        return {biased ? dnnl::convolution_forward::desc(kind, direct, source, factor, describe(offsets, tag::x), target,
                                                         window.strides, window.before, window.after)
                       : dnnl::convolution_forward::desc(kind, direct, source, factor, target, window.strides,
                                                         window.before, window.after),
                engine()};
    }

    Array run(const Array* bias) const {
        Array outputs = Array::zeros<float>(shape());
        Operands operands{{DNNL_ARG_SRC, view(inputs, images, tag::nhwc)},
                          {DNNL_ARG_WEIGHTS, view(kernel, weights, tag::hwio)},
                          {DNNL_ARG_DST, view(outputs, results, tag::nhwc)}};
        if (bias) operands.insert({DNNL_ARG_BIAS, view(*bias, offsets, tag::x)});
        execute<dnnl::convolution_forward>(forward(bias != nullptr), operands);
        return outputs;
    }

    std::vector<Array> differentiate(const Array& upstream) const {
        Array of_inputs = Array::zeros<float>(inputs.shape()), of_kernel = Array::zeros<float>(kernel.shape());
        Array of_bias = Array::zeros<float>({offsets[0]});
        const auto source = describe(images, tag::nhwc), factor = describe(weights, tag::hwio), target = describe(results, tag::nhwc);
        const auto direct = algorithm::convolution_direct;
        const auto hint = forward(true);
        execute<dnnl::convolution_backward_data>(
            dnnl::convolution_backward_data::primitive_desc(
                dnnl::convolution_backward_data::desc(direct, source, factor, target, window.strides, window.before,
                                                      window.after),
                engine(), hint),
            {{DNNL_ARG_DIFF_DST, view(upstream, results, tag::nhwc)},
             {DNNL_ARG_WEIGHTS, view(kernel, weights, tag::hwio)},
             {DNNL_ARG_DIFF_SRC, view(of_inputs, images, tag::nhwc)}});
        execute<dnnl::convolution_backward_weights>(
            dnnl::convolution_backward_weights::primitive_desc(
                dnnl::convolution_backward_weights::desc(direct, source, factor, describe(offsets, tag::x), target,
                                                         window.strides, window.before, window.after),
                engine(), hint),
            {{DNNL_ARG_DIFF_DST, view(upstream, results, tag::nhwc)},
             {DNNL_ARG_SRC, view(inputs, images, tag::nhwc)},
             {DNNL_ARG_DIFF_WEIGHTS, view(of_kernel, weights, tag::hwio)},
             {DNNL_ARG_DIFF_BIAS, view(of_bias, offsets, tag::x)}});
        return {of_inputs, of_kernel, of_bias};
    }
};

struct Pooling {
    algorithm kind;
    const Array& inputs;
    Window window;
    memory::dims images, results;

    Pooling(algorithm kind, const Array& inputs, const memory::dims& size, const memory::dims& strides,
            const std::string& padding)
        : kind(kind), inputs(inputs), window(inputs.shape(), size, strides, padding),
          images(channels_second(inputs.shape())), results{images[0], images[1], window.output[0], window.output[1]} {}

    dnnl::pooling_forward::primitive_desc forward() const {
        return {dnnl::pooling_forward::desc(prop_kind::forward_training, kind, describe(images, tag::nhwc),
                                            describe(results, tag::nhwc), window.strides, window.size, window.before,
                                            window.after),
                engine()};
    }

    Array run(memory* workspace = nullptr) const {
        Array outputs = Array::zeros<float>({results[0], results[2], results[3], results[1]});
        const auto description = forward();
        memory chosen(description.workspace_desc(), engine());
        execute<dnnl::pooling_forward>(description, {{DNNL_ARG_SRC, view(inputs, images, tag::nhwc)},
                                                     {DNNL_ARG_DST, view(outputs, results, tag::nhwc)},
                                                     {DNNL_ARG_WORKSPACE, chosen}});
        if (workspace) *workspace = chosen;
        return outputs;
    }

    Array differentiate(const Array& upstream) const {
        memory workspace;
        run(&workspace);
        Array gradient = Array::zeros<float>(inputs.shape());
        execute<dnnl::pooling_backward>(
            dnnl::pooling_backward::primitive_desc(
                dnnl::pooling_backward::desc(kind, describe(images, tag::nhwc), describe(results, tag::nhwc),
                                             window.strides, window.size, window.before, window.after),
                engine(), forward()),
            {{DNNL_ARG_DIFF_DST, view(upstream, results, tag::nhwc)},
             {DNNL_ARG_DIFF_SRC, view(gradient, images, tag::nhwc)},
             {DNNL_ARG_WORKSPACE, workspace}});
        return gradient;
    }
};

struct BatchNormalization {
    const Array &inputs, &gamma, &beta;
    Array mean, variance;
    bool training;
    memory::dims images, channels;
    dnnl::normalization_flags flags;

    BatchNormalization(const Array& inputs, const Array& gamma, const Array& beta, Array mean, Array variance, bool training)
        : inputs(inputs), gamma(gamma), beta(beta), mean(std::move(mean)), variance(std::move(variance)),
          training(training), channels{gamma.shape()[0]},
          flags(dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift) {
        images = {inputs.size() / channels[0], channels[0], 1, 1};
        if (!training) flags = flags | dnnl::normalization_flags::use_global_stats;
    }

    dnnl::batch_normalization_forward::primitive_desc forward() const {
        return {dnnl::batch_normalization_forward::desc(prop_kind::forward_training, describe(images, tag::nhwc), 0.001F, flags),
                engine()};
    }

    Operands statistics() const {
        return {{DNNL_ARG_SRC, view(inputs, images, tag::nhwc)},
                {DNNL_ARG_MEAN, view(mean, channels, tag::x)},
                {DNNL_ARG_VARIANCE, view(variance, channels, tag::x)},
                {DNNL_ARG_SCALE, view(gamma, channels, tag::x)},
                {DNNL_ARG_SHIFT, view(beta, channels, tag::x)}};
    }

    // In training, oneDNN writes the mean and variance of the batch to `mean` and `variance`.
    Array run() {
        Array outputs = Array::zeros<float>(inputs.shape());
        Operands operands = statistics();
        operands.insert({DNNL_ARG_DST, view(outputs, images, tag::nhwc)});
        execute<dnnl::batch_normalization_forward>(forward(), operands);
        return outputs;
    }

    std::vector<Array> differentiate(const Array& upstream) {
        run();
        Array of_inputs = Array::zeros<float>(inputs.shape()), of_gamma = Array::zeros<float>(gamma.shape());
        Array of_beta = Array::zeros<float>(gamma.shape());
        Operands operands = statistics();
        operands.insert({DNNL_ARG_DIFF_DST, view(upstream, images, tag::nhwc)});
        operands.insert({DNNL_ARG_DIFF_SRC, view(of_inputs, images, tag::nhwc)});
        operands.insert({DNNL_ARG_DIFF_SCALE, view(of_gamma, channels, tag::x)});
        operands.insert({DNNL_ARG_DIFF_SHIFT, view(of_beta, channels, tag::x)});
        execute<dnnl::batch_normalization_backward>(
            dnnl::batch_normalization_backward::primitive_desc(
                dnnl::batch_normalization_backward::desc(prop_kind::backward, describe(images, tag::nhwc),
                                                         describe(images, tag::nhwc), 0.001F, flags),
                engine(), forward()),
            operands);
        return {of_inputs, of_gamma, of_beta};
    }
};

// One step of an LSTM, with the gates in the contract's order.
inline std::vector<Array> lstm_step(const Array& inputs, const Array& hidden, const Array& carry, const Array& kernel,
                                    const Array& recurrent_kernel, const Array& bias) {
    const auto batch = inputs.shape()[0], length = inputs.shape()[1], units = hidden.shape()[1];
    Array outputs = Array::zeros<float>(hidden.shape()), after = Array::zeros<float>(hidden.shape());
    Array last = Array::zeros<float>(hidden.shape());
    const memory::dims layer{1, batch, length}, state{1, 1, batch, units}, result{1, batch, units};
    const memory::dims of_layer{1, 1, length, 4, units}, of_state{1, 1, units, 4, units}, offsets{1, 1, 4, units};
    const dnnl::lstm_forward::desc operation(
        prop_kind::forward_inference, dnnl::rnn_direction::unidirectional_left2right, describe(layer, tag::tnc),
        describe(state, tag::ldnc), describe(state, tag::ldnc), describe(of_layer, tag::ldigo),
        describe(of_state, tag::ldigo), describe(offsets, tag::ldgo), describe(result, tag::tnc),
        describe(state, tag::ldnc), describe(state, tag::ldnc));
    execute<dnnl::lstm_forward>(dnnl::lstm_forward::primitive_desc(operation, engine()),
                                {{DNNL_ARG_SRC_LAYER, view(inputs, layer, tag::tnc)},
                                 {DNNL_ARG_SRC_ITER, view(hidden, state, tag::ldnc)},
                                 {DNNL_ARG_SRC_ITER_C, view(carry, state, tag::ldnc)},
                                 {DNNL_ARG_WEIGHTS_LAYER, view(kernel, of_layer, tag::ldigo)},
                                 {DNNL_ARG_WEIGHTS_ITER, view(recurrent_kernel, of_state, tag::ldigo)},
                                 {DNNL_ARG_BIAS, view(bias, offsets, tag::ldgo)},
                                 {DNNL_ARG_DST_LAYER, view(outputs, result, tag::tnc)},
                                 {DNNL_ARG_DST_ITER, view(last, state, tag::ldnc)},
                                 {DNNL_ARG_DST_ITER_C, view(after, state, tag::ldnc)}});
    return {outputs, after};
}

}  // namespace primitives
