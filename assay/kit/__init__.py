"""Building blocks for adapters in Python: an adapter that uses them only defines the framework's part.

The kit requires only NumPy, and computes nothing for which a claim judges a framework. It converts layouts, counts,
draws indices and repeats steps. Its modules can be used separately:

- `layouts`: the axes of images and kernels, the gates of an LSTM, and cells with two biases;
- `padding`: the widths that `same` adds;
- `networks`: the document's models as data, layer by layer;
- `sampling`: indices of batches, and the checks of temperatures and probabilities;
- `text`: the encoding of a text, and its windows;
- `metrics`: accuracy, batch by batch;
- `episodes`: the replay buffer, and the agent's loop over a network and an environment;
- `framework`, `operations` and `models`: the groups `ops` and `models` over functions on tensors of the framework;
- `groups`: the other groups, complete, over one class of networks;
- `implementation`: the object that Assay finds, with all of these groups.
"""
