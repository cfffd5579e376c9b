// The subprocess protocol of Assay, version 1, in one header: see assay/adapters/protocol/README.md.
//
// Copy it beside your program. It needs C++17, a little-endian machine and nlohmann/json (Debian: nlohmann-json3-dev).
//
//     assay::Peer peer("mine", "1.0");
//     peer.add("ops", "relu", [](const assay::Arguments& arguments) { ...; return assay::Value(array); });
//     peer.serve();

#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace assay {

using Json = nlohmann::ordered_json;
using Shape = std::vector<std::int64_t>;

// Thrown for invalid arguments: a `ValueError` of the contract. Any other exception is a failure of this program.
struct InvalidArgument : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <typename T> const char* dtype_of();
template <> inline const char* dtype_of<bool>() { return "bool"; }
template <> inline const char* dtype_of<std::uint8_t>() { return "uint8"; }
template <> inline const char* dtype_of<std::int32_t>() { return "int32"; }
template <> inline const char* dtype_of<std::int64_t>() { return "int64"; }
template <> inline const char* dtype_of<float>() { return "float32"; }
template <> inline const char* dtype_of<double>() { return "float64"; }

inline std::int64_t size_of(const Shape& shape) {
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

// An array of a message: little-endian, the last axis fastest.
class Array {
  public:
    Array(std::string dtype, Shape shape, std::vector<char> content)
        : dtype_(std::move(dtype)), shape_(std::move(shape)), content_(std::move(content)) {}

    // A new array of zeros.
    template <typename T> static Array zeros(Shape shape) {
        const auto bytes = static_cast<std::size_t>(size_of(shape)) * sizeof(T);
        return Array(dtype_of<T>(), std::move(shape), std::vector<char>(bytes));
    }

    const std::string& dtype() const { return dtype_; }
    const Shape& shape() const { return shape_; }
    std::int64_t size() const { return size_of(shape_); }
    const std::vector<char>& content() const { return content_; }

    // The elements, which must be of this type.
    template <typename T> T* data() {
        check<T>();
        return reinterpret_cast<T*>(content_.data());
    }
    template <typename T> const T* data() const {
        check<T>();
        return reinterpret_cast<const T*>(content_.data());
    }

    // Integers of any type, such as labels.
    std::vector<std::int64_t> integers() const {
        if (dtype_ == "uint8") return copy<std::uint8_t>();
        if (dtype_ == "int32") return copy<std::int32_t>();
        return copy<std::int64_t>();
    }

    Array reshaped(Shape shape) const {
        if (size_of(shape) != size()) throw InvalidArgument("the array does not fit the shape");
        return Array(dtype_, std::move(shape), content_);
    }

  private:
    template <typename T> void check() const {
        if (dtype_ != dtype_of<T>()) {
            throw InvalidArgument(std::string("expected an array of ") + dtype_of<T>() + ", got " + dtype_);
        }
    }
    template <typename T> std::vector<std::int64_t> copy() const {
        return std::vector<std::int64_t>(data<T>(), data<T>() + size());
    }

    std::string dtype_;
    Shape shape_;
    std::vector<char> content_;
};

// The result of a function: one array or several.
struct Value {
    Value(Array array) : arrays{std::move(array)}, single(true) {}
    Value(std::vector<Array> several) : arrays(std::move(several)), single(false) {}

    std::vector<Array> arrays;
    bool single;
};

// The arguments of a call, by name.
class Arguments {
  public:
    Arguments(const Json& fields, const std::vector<Array>& arrays) : fields_(fields), arrays_(arrays) {}

    // Whether the caller passes an argument instead of leaving it at the contract's default.
    bool is_given(const std::string& name) const { return fields_.contains(name); }

    // Whether an argument is given and not None.
    bool has(const std::string& name) const { return fields_.contains(name) && !fields_.at(name).is_null(); }

    const Array& array(const std::string& name) const { return array_of(at(name)); }

    std::int64_t integer(const std::string& name) const { return at(name).get<std::int64_t>(); }

    std::string text(const std::string& name, const std::string& otherwise = "") const {
        return has(name) ? at(name).get<std::string>() : otherwise;
    }

    bool boolean(const std::string& name) const { return at(name).get<bool>(); }

    double number(const std::string& name) const {
        const Json& value = at(name);
        if (value.is_number()) return value.get<double>();
        const std::string written = value.at("number").get<std::string>();
        if (written == "nan") return std::numeric_limits<double>::quiet_NaN();
        return (written == "-inf" ? -1 : 1) * std::numeric_limits<double>::infinity();
    }

    std::vector<std::int64_t> integers(const std::string& name, std::vector<std::int64_t> otherwise = {}) const {
        return has(name) ? at(name).get<std::vector<std::int64_t>>() : otherwise;
    }

    // A list of tuples of arrays, such as batches of labels and predictions.
    std::vector<std::vector<Array>> batches(const std::string& name) const {
        std::vector<std::vector<Array>> found;
        for (const Json& batch : at(name)) {
            found.emplace_back();
            for (const Json& element : batch) found.back().push_back(array_of(element));
        }
        return found;
    }

  private:
    const Json& at(const std::string& name) const {
        if (!fields_.contains(name)) throw InvalidArgument("the argument " + name + " is missing");
        return fields_.at(name);
    }
    // A message has a NumPy scalar as a number, which becomes an array of shape [] here.
    const Array& array_of(const Json& value) const {
        if (!value.is_number()) return arrays_.at(value.at("array").get<std::size_t>());
        scalars_.push_back(Array::zeros<float>({}));
        *scalars_.back().data<float>() = value.get<float>();
        return scalars_.back();
    }

    const Json& fields_;
    const std::vector<Array>& arrays_;
    mutable std::deque<Array> scalars_;
};

// A program that answers on its standard streams.
class Peer {
  public:
    using Function = std::function<Value(const Arguments&)>;

    Peer(std::string name, std::string version) : name_(std::move(name)), version_(std::move(version)) {}

    // State the version of a library, for the ledger.
    void uses(const std::string& framework, const std::string& version) { frameworks_[framework] = version; }

    // Leave a function or a model out of a group: "ops.lstm", "models.rnn".
    void leaves_out(const std::string& entry) { unsupported_.push_back(entry); }

    void add(const std::string& group, const std::string& name, Function function) {
        order_[group].push_back(name);
        functions_[group + "." + name] = std::move(function);
    }

    // Answer messages until `stop` or the end of the input.
    void serve() {
        // Text that the program or a library prints must not mix with the answers.
        std::FILE* answers = fdopen(dup(STDOUT_FILENO), "wb");
        dup2(STDERR_FILENO, STDOUT_FILENO);
        std::ios::sync_with_stdio(false);
        for (std::string line; std::getline(std::cin, line);) {
            const Json message = Json::parse(line);
            std::vector<Array> arrays, results;
            for (const Json& named : message.value("arrays", Json::array())) arrays.push_back(read(named));
            Json fields = {{"id", message.at("id")}};
            try {
                fields["result"] = answer(message, arrays, results);
            } catch (const InvalidArgument& error) {
                fields["error"] = {{"kind", "invalid argument"}, {"message", error.what()}};
            } catch (const std::exception& error) {
                fields["error"] = {{"kind", "failure"}, {"message", error.what()}};
            }
            if (!results.empty()) fields["arrays"] = describe(results);
            const std::string head = fields.dump() + "\n";
            std::fwrite(head.data(), 1, head.size(), answers);
            for (const Array& array : results) std::fwrite(array.content().data(), 1, array.content().size(), answers);
            std::fflush(answers);
            if (message.at("command") == "stop") return;
        }
    }

  private:
    static Array read(const Json& named) {
        std::vector<char> content(named.at("bytes").get<std::size_t>());
        std::cin.read(content.data(), static_cast<std::streamsize>(content.size()));
        return Array(named.at("dtype"), named.at("shape").get<Shape>(), std::move(content));
    }

    static Json describe(const std::vector<Array>& arrays) {
        Json named = Json::array();
        for (const Array& one : arrays) {
            named.push_back({{"dtype", one.dtype()}, {"shape", one.shape()}, {"bytes", one.content().size()}});
        }
        return named;
    }

    Json answer(const Json& message, const std::vector<Array>& arrays, std::vector<Array>& results) {
        const std::string command = message.at("command");
        if (command == "describe") {
            if (message.at("protocol") != 1) throw InvalidArgument("this program speaks version 1 of the protocol");
            return {{"protocol", 1},     {"name", name_},    {"version", version_}, {"frameworks", frameworks_},
                    {"groups", order_}, {"unsupported", unsupported_}};
        }
        if (command == "start") {
            if (message.at("device") != "cpu") throw InvalidArgument("this program has no GPU");
            return {{"device", "CPU"}};
        }
        if (command == "stop") return nullptr;
        const std::string name = message.at("group").get<std::string>() + "." + message.at("function").get<std::string>();
        Value value = functions_.at(name)(Arguments(message.at("arguments"), arrays));
        results = std::move(value.arrays);
        Json numbered = Json::array();
        for (std::size_t place = 0; place < results.size(); ++place) numbered.push_back({{"array", place}});
        return value.single ? numbered.at(0) : numbered;
    }

    std::string name_, version_;
    Json frameworks_ = Json::object();
    Json unsupported_ = Json::array();
    std::map<std::string, std::vector<std::string>> order_;
    std::map<std::string, Function> functions_;
};

}  // namespace assay
