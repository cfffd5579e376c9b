'use strict';
/** TensorFlow.js on Node.js, with WebAssembly where it has kernels. */

const os = require('os');
const { InvalidArgument, serve } = require('./wire');

const PACKAGES = ['tfjs', 'tfjs-backend-wasm'];
const GROUPS = {
  ops: () => require('./ops'),
  models: () => require('./models'),
  training: () => require('./training'),
  datasets: () => require('./datasets'),
  text: () => require('./text'),
};

function installed(name) {
  try {
    return require(`@tensorflow/${name}/package.json`).version;
  } catch {
    throw new Error(`@tensorflow/${name} is not installed: run \`npm ci\` in ${__dirname}`);
  }
}

serve({
  describe({ protocol }) {
    if (protocol !== 1) throw new InvalidArgument(`version ${protocol} of the protocol is not known here`);
    const versions = PACKAGES.map((name) => [`@tensorflow/${name}`, installed(name)]);
    const groups = Object.entries(GROUPS).map(([name, load]) => [name, Object.keys(load())]);
    return {
      protocol: 1,
      name: 'tensorflow-js',
      version: require('./package.json').version,
      frameworks: Object.fromEntries([...versions, ['node', process.versions.node]]),
      groups: Object.fromEntries(groups),
    };
  },

  async start({ device }) {
    if (device !== 'cpu') throw new InvalidArgument('TensorFlow.js has no GPU on Node.js without a binding in C');
    await require('./tf').ready();
    return { device: `${os.cpus()[0].model}, WebAssembly` };
  },

  call({ group, function: name }, args) {
    // Not `tidy`, which looks for tensors in every number of a result.
    const engine = require('./tf').engine();
    engine.startScope();
    try {
      return GROUPS[group]()[name](args);
    } finally {
      engine.endScope();
    }
  },

  stop() {
    return null;
  },
});
