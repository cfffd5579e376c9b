"""The text, its characters, and windows of it: lines 480 to 515 of the document."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.contract import INT
from assay.spec.semantics import text as definition
from assay.spec.vectors import read
from assay.testing.assertions import assert_equal, assert_form, assert_rejected, claim
from assay.testing.chances import chance_of_counts, chance_of_draws
from assay.testing.counts import assert_few_in_common, assert_share
from assay.testing.draws import chance_of_sequence
from assay.testing.seeded_results import assert_same_elsewhere
from assay.testing.seeds import assert_told_apart, similar_seeds
from assay.testing.stored_arrays import assert_reads_values, assert_results_are_new, assert_results_stay
from assay.testing.strategies import seeds
from assay.testing.thresholds import FALSE_ALARM

DOCUMENT = read("rnn")
# Any text that UTF-8 can encode: all characters except surrogates.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
# In a text without repeated characters, a window shows its own position.
PLACES = 5
SEQ_LENGTH = 4
ORDERED = np.arange(PLACES + SEQ_LENGTH, dtype=np.int32)

# Length of a text that is too long for 16-bit positions. Each character is its own position.
LENGTH = 3 * 2**16 + 1

# Number of characters that exceeds the usual block sizes of file reads, up to 64 KiB.
BLOCKS = 2**16 + 1


def encode(text, content):
    """Encode a text or a file, and check the form of the numbers."""
    content = content.encode() if isinstance(content, str) else content
    found = text.encode(content)
    assert_form("the numbers of the text", found.indices, np.shape(found.indices), INT)
    return found


def decode(found):
    """Return the text that the numbers encode."""
    return "".join(found.indices_char[index] for index in found.indices.tolist())


def assert_encoded_as(text, content, expected):
    """Check which characters the numbers of a text stand for."""
    found = decode(encode(text, content))
    assert found == expected, f"the numbers of {content!a} stand for {found!a}, expected {expected!a}"


def draw_starts(text, batch_size, seed):
    """Draw windows of `ORDERED`; return where they begin."""
    windows, _ = text.sample_windows(ORDERED, SEQ_LENGTH, batch_size, seed)
    return assert_form("the windows", windows, (batch_size, SEQ_LENGTH), INT)[:, 0]


@claim("text.corpus")
def test_corpus(nietzsche):
    assert len(nietzsche.indices) == DOCUMENT["length"]


@claim("text.get-file")
def test_get_file(keras):
    names = list(inspect.signature(keras.namespace.utils.get_file).parameters)
    assert names[:2] == ["fname", "origin"]


@claim("text.next-character")
@given(seed=seeds())
def test_next_character(text, seed):
    windows, targets = text.sample_windows(ORDERED, SEQ_LENGTH, 3, seed)
    assert_equal("the characters after the windows", targets, windows[:, -1] + 1, INT)


@claim("text.example-length")
def test_example_length(text):
    found = encode(text, DOCUMENT["sentence"])
    assert_form("the example", found.indices, (DOCUMENT["sentence_length"],), INT)


@claim("text.numbering")
@given(content=texts)
def test_numbering(text, content):
    found = encode(text, content)
    assert sorted(found.char_indices.values()) == list(range(len(found.char_indices)))


@claim("text.utf8")
def test_utf8(text):
    found = encode(text, "né".encode())
    assert sorted(found.char_indices) == ["n", "é"]


@claim("text.utf8")
@pytest.mark.parametrize("character", "é€𐐨", ids=["2 bytes", "3 bytes", "4 bytes"])
def test_utf8_across_blocks(text, character):
    # As with newlines, the bytes of one character lie on both sides of a block boundary.
    content = "a" + BLOCKS * character
    assert decode(encode(text, content)) == content


@claim("text.not-utf8")
@pytest.mark.parametrize(
    "content",
    [
        b"n\xe9e",
        b"a" * BLOCKS + b"\xff",
        b"\xff\xfea\x00",
        b"a\xc3",
        b"a\xed\xa0\x80",
        b"a\xc0\x80",
        b"a\xf4\x90\x80\x80",
        b"a\x80",
    ],
    ids=[
        "latin-1",
        "after blocks",
        "utf-16",
        "cut off",
        "half of a pair",
        "too long",
        "beyond Unicode",
        "no beginning",
    ],
)
def test_not_utf8(text, content):
    assert_rejected(f"a file of {len(content)} bytes that ends in {content[-9:]!r}", lambda: text.encode(content))
    # A decoder must not keep the end of a refused file for the next one.
    assert decode(encode(text, "\u00e9a")) == "\u00e9a"


@claim("text.newlines")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_newlines(text, end):
    assert_encoded_as(text, f"a{end}b{end}{end}c{end}", "a\nb\n\nc\n")


@claim("text.newlines")
def test_mixed_newlines(text):
    assert_encoded_as(text, "\ra\n\rb\r\r\nc\n\n\r", "\na\n\nb\n\nc\n\n\n")


# Line boundaries for `str.splitlines`, but not for a file in text mode.
SEPARATORS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


@claim("text.newlines")
def test_newlines_across_blocks(text):
    # After a single character, pairs of \r\n lie across the boundaries of blocks of any even size.
    assert decode(encode(text, "a" + BLOCKS * "\r\n")) == "a" + BLOCKS * "\n"


@claim("text.other-separators")
@pytest.mark.parametrize("separator", SEPARATORS, ids=lambda one: f"U+{ord(one):04X}")
def test_other_separators(text, separator):
    content = f"a{separator}{separator}b\n{separator}"
    assert_encoded_as(text, content, content)


@claim("text.kept")
@pytest.mark.parametrize(
    "content",
    ["  a \t\n", "\n\n", "a\n\n\n", "\x00a\x00", "\ufeffa", "e\u0301 \u00e9", "\u00a0a\u3000", "\u200da\ufe0f"],
    ids=["blanks", "newlines", "newlines at the end", "NUL", "BOM", "combining", "wide blanks", "joiners"],
)
def test_kept(text, content):
    assert_encoded_as(text, content, content)


@claim("text.lower-case")
@pytest.mark.parametrize(
    ("content", "lower"),
    [("AİB", "ai\u0307b"), ("ΑΣ ΣΑ", "ας σα"), ("STRAẞE", "straße"), ("ΌΔΎ", "όδύ"), ("𐐀ǅ", "𐐨ǆ"), ("ſK", "ſk")],  # noqa: RUF001 - these letters are what is tested
    ids=["longer", "final sigma", "sharp s", "accents", "beyond 16 bits", "signs"],
)
def test_lower_case_of_letters(text, content, lower):
    assert_encoded_as(text, content, lower)


@claim("text.lower-case")
def test_lower_case_across_blocks(text):
    # Only the last sigma ends a word. The others lie at the ends of blocks of any even size.
    lower = decode(encode(text, BLOCKS * "\u0391\u03a3"))
    assert lower == (BLOCKS - 1) * "\u03b1\u03c3" + "\u03b1\u03c2"


@claim("text.lower-case")
@given(content=texts)
def test_lower_case(text, content):
    found = encode(text, f"ÄZ{content}")
    assert decode(found).startswith("äz")
    assert {one.lower() for one in found.char_indices} == set(found.char_indices)


@claim("text.characters")
@given(content=texts)
def test_characters(text, content):
    found = encode(text, content)
    in_order = sorted(found.char_indices, key=found.char_indices.__getitem__)
    assert in_order == sorted(found.char_indices)


@claim("text.characters")
def test_characters_beyond_16_bits(text):
    # In UTF-16, the code units of the last three are smaller than those of the two before.
    in_order = "az\uff5e\ufffd\U00010000\U0001f600\U0010fffd"
    found = encode(text, in_order[::-1])
    numbered = "".join(sorted(found.char_indices, key=found.char_indices.__getitem__))
    assert numbered == in_order, f"the characters are numbered as {numbered!a}, expected {in_order!a}"


@claim("text.many-characters")
def test_many_characters(text):
    # More characters than signed 16-bit integers can number.
    count = 2**15 + 1
    every = "".join(map(chr, range(0x20000, 0x20000 + count)))
    found = encode(text, every + every[::-1])
    expected = np.arange(count, dtype=np.int32)
    assert_equal("the numbers of the text", found.indices, np.concatenate([expected, expected[::-1]]), INT)


@claim("text.only-what-occurs")
@given(content=texts)
def test_only_what_occurs(text, content):
    assert set(encode(text, content).char_indices) == set(definition.encode(content.encode()).char_indices)


@claim("text.inverse-maps")
@given(content=texts)
def test_inverse_maps(text, content):
    found = encode(text, content)
    assert {index: one for one, index in found.char_indices.items()} == dict(found.indices_char)


@claim("text.indices")
@given(content=st.text("abc .\n", max_size=40))
def test_indices(text, content):
    assert decode(encode(text, content)) == content


@claim("text.whole-loader")
@given(content=texts)
def test_whole_loader(text, content):
    found, expected = encode(text, content), definition.encode(content.encode())
    assert (dict(found.char_indices), dict(found.indices_char)) == (expected.char_indices, expected.indices_char)
    assert_equal("the numbers of the text", found.indices, expected.indices, INT)


@claim("text.whole-loader")
def test_whole_loader_of_a_real_text(text, corpus):
    assert_equal("the numbers of the text", encode(text, corpus.text).indices, corpus.indices, INT)


@claim("text.whole-loader")
def test_whole_loader_of_the_text_of_python(text):
    content = "\n".join(pytest.importorskip("pydoc_data.topics").topics.values())
    expected = definition.encode(content.encode()).indices
    assert_equal("the numbers of the text", encode(text, content).indices, expected, INT)


@claim("text.whole-loader")
def test_one_text_after_another(text):
    for content in ("a b\nc", "cab", "", "a b\nc", "ba"):
        found, expected = encode(text, content), definition.encode(content.encode())
        assert dict(found.char_indices) == expected.char_indices, f"the characters of {content!r} after other texts"
        assert_equal(f"the numbers of {content!r} after other texts", found.indices, expected.indices, INT)


@claim("text.num-chars")
def test_num_chars(text, nietzsche):
    assert len(encode(text, nietzsche.text).char_indices) == DOCUMENT["num_chars"]


@claim("text.one-character")
@pytest.mark.parametrize("length", [1, 5])
def test_one_character(text, length):
    found = encode(text, "x" * length)
    assert_equal("the numbers of the text", found.indices, np.zeros(length), INT)


@claim("text.empty")
def test_empty(text):
    found = encode(text, b"")
    assert (dict(found.char_indices), len(found.indices)) == ({}, 0)
    assert_rejected("a window of an empty text", lambda: text.sample_windows(found.indices, 1, 1, 0))


@claim("text.window-shape")
@given(batch_size=st.sampled_from([1, 5, 50]), seed=seeds())
def test_window_shape(text, batch_size, seed):
    windows, _ = text.sample_windows(ORDERED, SEQ_LENGTH, batch_size, seed)
    assert_form("the windows", windows, (batch_size, SEQ_LENGTH), INT)


@claim("text.target-shape")
@given(batch_size=st.sampled_from([1, 5, 50]), seed=seeds())
def test_target_shape(text, batch_size, seed):
    _, targets = text.sample_windows(ORDERED, SEQ_LENGTH, batch_size, seed)
    assert_form("the characters after the windows", targets, (batch_size,), INT)


@claim("text.consecutive")
@given(seed=seeds())
def test_consecutive(text, seed):
    windows, _ = text.sample_windows(ORDERED, SEQ_LENGTH, 3, seed)
    assert_equal("the windows", windows, windows[:, :1] + np.arange(SEQ_LENGTH), INT)


# Number of draws that miss a given position with a probability of at most FALSE_ALARM: (1 - 1 / PLACES)^n.
DRAWS = int(np.ceil(np.log(FALSE_ALARM) / np.log(1 - 1 / PLACES)))


@claim("text.first-start")
def test_first_start(text, seed):
    first = draw_starts(text, DRAWS, seed).min()
    assert first == 0, f"none of {DRAWS} windows begins before character {first}"


@claim("text.last-start")
def test_last_start(text, seed):
    last = draw_starts(text, DRAWS, seed).max()
    assert last == PLACES - 1, f"the last of {DRAWS} windows begins at {last}, expected {PLACES - 1}"


@claim("text.even-starts")
def test_even_starts(text, seed):
    counts = np.bincount(draw_starts(text, 5_000, seed), minlength=PLACES).tolist()
    assert len(counts) == PLACES, f"a window begins at {len(counts) - 1}"
    probability = chance_of_counts(counts)
    assert probability > FALSE_ALARM, f"uniform draws are as uneven as {counts} with a probability of {probability:.3g}"


@claim("text.independent-draws")
def test_independent_draws(text, seed):
    found = draw_starts(text, 400, seed)
    probability = chance_of_sequence(found, PLACES)
    assert probability > FALSE_ALARM, (
        f"independent draws are as dependent as {found.tolist()} with a probability of {probability:.3g}"
    )


@claim("text.independent-draws")
def test_next_seed_draws_by_other_numbers(text, seed):
    indices = np.arange(LENGTH, dtype=np.int32)
    one, other = (text.sample_windows(indices, 1, 50, each)[0].ravel() for each in (seed, seed + 1))
    assert_few_in_common("windows", one, other, LENGTH - 1)


@claim("text.same-seed")
@given(seed=seeds())
def test_same_seed(text, seed):
    first, _ = text.sample_windows(ORDERED, SEQ_LENGTH, 50, seed)
    text.sample_windows(ORDERED, SEQ_LENGTH, 50, seed + 1)
    again, _ = text.sample_windows(ORDERED, SEQ_LENGTH, 50, seed)
    assert_equal("the windows", again, first, INT)


@claim("text.consecutive")
def test_other_text_of_the_same_length(text, seed):
    text.sample_windows(ORDERED, SEQ_LENGTH, 50, seed)
    backwards = ORDERED[::-1].copy()
    windows, targets = text.sample_windows(backwards, SEQ_LENGTH, 50, seed)
    assert_equal("the windows", windows, windows[:, :1] - np.arange(SEQ_LENGTH, dtype=np.int32), INT)
    assert_equal("the characters after the windows", targets, windows[:, -1] - 1, INT)


@claim("text.whole-text")
@pytest.mark.parametrize("seq_length", [1, 67])
def test_whole_text(text, seed, seq_length):
    count = 2_000
    windows, targets = text.sample_windows(np.arange(LENGTH, dtype=np.int32), seq_length, count, seed)
    first = assert_form("the windows", windows, (count, seq_length), INT)[:, 0]
    assert_equal("the windows", windows, first[:, None] + np.arange(seq_length, dtype=np.int32), INT)
    assert_equal("the characters after the windows", targets, first + seq_length, INT)
    places = LENGTH - seq_length
    # At least one of the draws falls into any interval of this share of the positions.
    share = -np.expm1(np.log(FALSE_ALARM / 3) / count)
    even = int((first % 2 == 0).sum())
    assert_share("windows that begin at an even position", even, count, (places + 1) // 2 / places)
    probability = 3 * chance_of_draws(first / places, 0.0, 1.0)
    assert first.min() < share * places, f"no window begins before position {first.min()} of {places}"
    assert first.max() >= (1 - share) * places, f"no window begins after position {first.max()} of {places}"
    assert probability > FALSE_ALARM, (
        f"starts of windows are this uneven among {places} positions with a probability of {probability:.3g}"
    )


@claim("text.with-replacement")
@given(seed=seeds())
def test_with_replacement(text, seed):
    draw_starts(text, 2 * PLACES, seed)


# Number of batches of two windows. None of them contains a window twice with a probability of (1 - 1 / PLACES)^150.
PAIRS = 150


@claim("text.with-replacement")
def test_small_batches_repeat(text, seed):
    pairs = [draw_starts(text, 2, (seed + each) % 2**31) for each in range(PAIRS)]
    assert any(one == other for one, other in pairs), f"none of {PAIRS} batches of two windows contains a window twice"
    # 50 draws from 60 positions are all different with a probability of 3e-14.
    windows, _ = text.sample_windows(np.arange(64, dtype=np.int32), SEQ_LENGTH, 50, seed)
    distinct = len(np.unique(windows[:, 0]))
    assert distinct < 50, f"a batch of 50 windows from 60 positions contains {distinct} different ones"
    # 250 draws from 2,000 positions are all different with a probability of 1e-7, and in three batches of 1e-21.
    long = np.arange(2_000 + SEQ_LENGTH, dtype=np.int32)
    batches = [text.sample_windows(long, SEQ_LENGTH, 250, (seed + each) % 2**31)[0] for each in range(3)]
    distinct = [len(np.unique(batch[:, 0])) for batch in batches]
    assert min(distinct) < 250, f"batches of 250 windows from 2,000 positions contain {distinct} different ones"


@claim("text.seeds")
def test_seeds(text, seed):
    # Two batches of n windows are equal with a probability of 5^-n, far below FALSE_ALARM.
    assert_told_apart("windows", similar_seeds(seed), lambda one: draw_starts(text, DRAWS, one))


@claim("text.results-stay")
def test_results_stay(text, seed):
    windows = [(ORDERED, SEQ_LENGTH, DRAWS, seed + number) for number in range(2)]
    for check in (assert_results_stay, assert_results_are_new):
        check("encode", text.encode, (b"ab ba",), (b"ba ab",))
        check("sample_windows", text.sample_windows, *windows)


@claim("text.no-memory")
def test_no_memory(text, seed):
    # The same characters equally often, most of them in the same places.
    first = "".join(np.random.default_rng(seed).permutation([*"abcd" * 64]))
    for place in (0, 1, 127, 254, 255):
        other = next(one for one in range(256) if first[one] != first[place])
        swapped = [*first]
        swapped[place], swapped[other] = first[other], first[place]
        for content in (first, "".join(swapped)):
            assert_encoded_as(text, content, content)


@claim("text.memory-order")
def test_memory_order(text, seed):
    assert_reads_values("sample_windows", text.sample_windows, ORDERED, SEQ_LENGTH, 20, seed)


@claim("text.one-place")
@given(seed=seeds())
def test_one_place(text, seed):
    windows, targets = text.sample_windows(ORDERED, len(ORDERED) - 1, 2, seed)
    assert_equal("the windows", windows, np.tile(ORDERED[:-1], (2, 1)), INT)
    assert_equal("the characters after the windows", targets, ORDERED[[-1, -1]], INT)


@claim("text.too-short")
@pytest.mark.parametrize("length", [1, SEQ_LENGTH - 1, SEQ_LENGTH])
def test_too_short(text, length):
    short = ORDERED[:length].copy()
    before = draw_starts(text, DRAWS, 0)
    assert_rejected(
        f"a window of {SEQ_LENGTH} in a text of {length}", lambda: text.sample_windows(short, SEQ_LENGTH, 1, 0)
    )
    assert_equal("the windows after a refused text", draw_starts(text, DRAWS, 0), before, before.dtype)


@claim("text.same-seed")
def test_sample_windows_in_new_process(implementation, results_elsewhere, seed):
    assert_same_elsewhere("text.sample_windows", implementation, results_elsewhere, seed)
