'use strict';
/** The protocol: see `assay/adapters/protocol/README.md`. */

const fs = require('fs');

const KINDS = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** The contract's ValueError: an invalid argument, not a failure of this program. */
class InvalidArgument extends Error {}

/** An array of a message. `data` is a typed array, the last axis fastest; Node.js runs on little-endian machines. */
class NdArray {
  constructor(dtype, shape, data) {
    Object.assign(this, { dtype, shape, data });
  }

  /** The elements at these indices of the first axis. */
  rows(places) {
    const size = this.shape.slice(1).reduce((product, length) => product * length, 1);
    const data = new this.data.constructor(size * places.length);
    places.forEach((place, row) => data.set(this.data.subarray(size * place, size * (place + 1)), size * row));
    return new NdArray(this.dtype, [places.length, ...this.shape.slice(1)], data);
  }
}

/** Blocking reader of standard input. */
class Reader {
  constructor() {
    this.chunks = Buffer.alloc(0);
  }

  /** The bytes of a line, or null at the end of the input. */
  line() {
    for (let end; ;) {
      if ((end = this.chunks.indexOf('\n')) >= 0) return this.cut(end + 1);
      const chunk = Buffer.alloc(65536);
      const count = fs.readSync(0, chunk);
      if (count === 0) return null;
      this.chunks = Buffer.concat([this.chunks, chunk.subarray(0, count)]);
    }
  }

  /** The next `length` bytes, in a new buffer. */
  bytes(length) {
    const content = Buffer.from(new ArrayBuffer(length));
    let filled = this.cut(Math.min(length, this.chunks.length)).copy(content);
    while (filled < length) {
      const count = fs.readSync(0, content, filled, length - filled, null);
      if (count === 0) throw new Error('standard input ends in the middle of an array');
      filled += count;
    }
    return content.buffer;
  }

  cut(length) {
    const first = this.chunks.subarray(0, length);
    this.chunks = this.chunks.subarray(length);
    return first;
  }
}

function unpack(tree, arrays) {
  if (Array.isArray(tree)) return tree.map((branch) => unpack(branch, arrays));
  if (tree === null || typeof tree !== 'object') return tree;
  if ('array' in tree) return arrays[tree.array];
  if ('number' in tree) return { nan: NaN, inf: Infinity, '-inf': -Infinity }[tree.number];
  return new Map(tree.map.map(([key, branch]) => [key, unpack(branch, arrays)]));
}

function pack(value, arrays) {
  if (value instanceof NdArray) return { array: arrays.push(value) - 1 };
  if (value instanceof Map) return { map: [...value].map(([key, branch]) => [key, pack(branch, arrays)]) };
  if (Array.isArray(value)) return value.map((branch) => pack(branch, arrays));
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return { number: Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf' };
  }
  return value;
}

function write(content) {
  for (let sent = 0; sent < content.length;) sent += fs.writeSync(1, content, sent);
}

/**
 * Answer messages until `stop` or the end of the input.
 * @param answers Function for each command, from the message and its arguments to the answer; it may be asynchronous.
 */
async function serve(answers) {
  console.log = console.info = console.error; // Printed text must not mix with the answers.
  const reader = new Reader();
  for (let line; (line = reader.line()) !== null;) {
    const message = JSON.parse(line);
    const given = (message.arrays || []).map(
      ({ dtype, shape, bytes }) => new NdArray(dtype, shape, new KINDS[dtype](reader.bytes(bytes)))
    );
    const args = {};
    for (const [name, value] of Object.entries(message.arguments || {})) args[name] = unpack(value, given);
    const arrays = [];
    const answer = { id: message.id };
    try {
      const result = await answers[message.command](message, args);
      answer.result = message.command === 'call' ? pack(result, arrays) : result;
    } catch (error) {
      answer.error =
        error instanceof InvalidArgument
          ? { kind: 'invalid argument', message: error.message }
          : { kind: 'failure', message: `${error.stack || error}` };
    }
    if (answer.result && arrays.length > 0) {
      answer.arrays = arrays.map(({ dtype, shape, data }) => ({ dtype, shape, bytes: data.byteLength }));
    }
    write(Buffer.from(JSON.stringify(answer) + '\n'));
    for (const { data } of arrays) write(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    if (message.command === 'stop') return;
  }
}

module.exports = { InvalidArgument, NdArray, serve };
