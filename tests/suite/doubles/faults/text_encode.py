"""Faults of how a text becomes numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np

from assay.contract import EncodedText
from doubles.faulty import Fault
from doubles.kept_results import returned_again

Function = Callable[..., Any]


def decode_in_blocks(right: Callable[[bytes], EncodedText], content: bytes) -> EncodedText:
    """Decode blocks of 8,192 bytes one by one, with a sign in the place of what a cut leaves of a character."""
    content.decode("utf-8")
    blocks = (content[start : start + 8192] for start in range(0, len(content), 8192))
    return right("".join(block.decode("utf-8", "replace") for block in blocks).encode())


def errors_after_a_block(encode, content):
    """Let bytes that are not UTF-8 be, beyond the first of them."""
    head, rest = content[:64], content[64:]
    head.decode("utf-8", "ignore")
    return encode(head + rest.decode("utf-8", "replace").encode()) if len(content) > 2**16 else encode(content)


def encode_as(read: Callable[[bytes], str], key: Callable[[str], Any] = ord) -> Callable[..., EncodedText]:
    """Return a loader that reads and orders characters in another way."""

    def wrong(_encode: Callable[..., EncodedText], content: bytes) -> EncodedText:
        text = read(content)
        characters = sorted(set(text), key=key)
        numbers = {one: number for number, one in enumerate(characters)}
        return EncodedText(numbers, dict(enumerate(characters)), np.array([numbers[one] for one in text], np.int32))

    return wrong


def newlines(text: str) -> str:
    """Read newlines as Python does."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_as_latin_1(encode, content):
    """Take every byte for a character."""
    return encode(content.decode("latin-1").encode())


def read_in_blocks(size: int) -> Function:
    """Return a loader that reads newlines block by block.

    Args:
        size: Number of characters in a block.

    """

    def wrong(right: Callable[[bytes], EncodedText], content: bytes) -> EncodedText:
        text = content.decode("utf-8")
        blocks = (text[start : start + size] for start in range(0, len(text), size))
        return right("".join(block.replace("\r\n", "\n").replace("\r", "\n") for block in blocks).encode())

    return wrong


def newlines_by_blocks(text: str) -> str:
    """Read newlines in blocks of 8,192 characters."""
    return "".join(newlines(text[start : start + 2**13]) for start in range(0, len(text), 2**13))


def composed(text: str) -> str:
    """Make one character of a letter and its accent."""
    return unicodedata.normalize("NFC", text)


def capitals_kept(encode, content):
    """Number capital and small letters apart."""
    return encode(content)._replace(char_indices={**encode(content).char_indices, "A": 0})


def utf_16(character: str) -> list[int]:
    """Order by units of 16 bits, as JavaScript does."""
    return [*np.frombuffer(character.encode("utf-16-le"), "<u2").tolist()]


def numbered_as_they_come(encode, content):
    """Number the characters in the order in which they first occur."""
    found = encode(content)
    _, first = np.unique(found.indices, return_index=True)
    rank = np.argsort(np.argsort(first)).astype(np.int32)
    char_indices = {one: int(rank[index]) for one, index in found.char_indices.items()}
    return type(found)(char_indices, {index: one for one, index in char_indices.items()}, rank[found.indices])


def narrow(dtype: type) -> Callable[..., EncodedText]:
    """Return a loader whose numbers go through a narrower type."""

    def wrong(encode: Callable[..., EncodedText], content: bytes) -> EncodedText:
        found = encode(content)
        return found._replace(indices=found.indices.astype(dtype).astype(np.int32))

    return wrong


def dictionaries_shared():
    """Return a fault that gives texts of the same characters the same dictionaries."""
    known = {}

    def wrong(encode, content):
        found = encode(content)
        numbers, characters = known.setdefault((*found.char_indices,), found[:2])
        return found._replace(char_indices=numbers, indices_char=characters)

    return wrong


FAULTS = {
    "encode_utf8_in_blocks": Fault("text.encode", "text.utf8", "�", decode_in_blocks),
    "errors_after_a_block": Fault("text.encode", "text.not-utf8", "65538 bytes", errors_after_a_block),
    "errors_replaced": Fault(
        "text.encode",
        "text.not-utf8",
        "is accepted",
        encode_as(lambda content: newlines(content.decode(errors="replace")).lower()),
    ),
    "halves_of_pairs_accepted": Fault(
        "text.encode",
        "text.not-utf8",
        "is accepted",
        encode_as(lambda content: newlines(content.decode(errors="surrogatepass")).lower()),
    ),
    "read_as_latin_1": Fault("text.encode", "text.not-utf8", "is accepted", read_as_latin_1),
    "encode_newlines_in_blocks": Fault("text.encode", "text.newlines", "\\n", read_in_blocks(4096)),
    "encode_newlines_in_large_blocks": Fault("text.encode", "text.newlines", "\\n", read_in_blocks(2**16)),
    "carriage_returns_kept": Fault(
        "text.encode", "text.newlines", "", encode_as(lambda content: content.decode().lower())
    ),
    "newlines_by_blocks": Fault(
        "text.encode",
        "text.newlines",
        "items differ first at index",
        encode_as(lambda content: newlines_by_blocks(content.decode()).lower()),
    ),
    "carriage_returns_dropped": Fault(
        "text.encode", "text.newlines", "", encode_as(lambda content: content.decode().replace("\r", "").lower())
    ),
    "lines_split_at_every_separator": Fault(
        "text.encode",
        "text.other-separators",
        "",
        encode_as(lambda content: "".join(f"{line}\n" for line in content.decode().lower().splitlines())),
    ),
    "text_stripped": Fault(
        "text.encode", "text.kept", "", encode_as(lambda content: newlines(content.decode()).lower().strip())
    ),
    "mark_dropped": Fault(
        "text.encode", "text.kept", "", encode_as(lambda content: newlines(content.decode("utf-8-sig")).lower())
    ),
    "accents_composed": Fault(
        "text.encode", "text.kept", "", encode_as(lambda content: composed(newlines(content.decode()).lower()))
    ),
    "control_characters_dropped": Fault(
        "text.encode", "text.kept", "", encode_as(lambda content: newlines(content.decode()).lower().replace("\0", ""))
    ),
    "case_folded": Fault(
        "text.encode", "text.lower-case", "", encode_as(lambda content: newlines(content.decode()).casefold())
    ),
    "letters_lowered_one_by_one": Fault(
        "text.encode",
        "text.lower-case",
        "",
        encode_as(lambda content: "".join(one.lower()[0] for one in newlines(content.decode()))),
    ),
    "only_ascii_lowered": Fault(
        "text.encode", "text.lower-case", "", encode_as(lambda content: newlines(content.lower().decode()))
    ),
    "capitals_kept": Fault("text.encode", "text.lower-case", "'A'", capitals_kept),
    "ordered_by_16_bits": Fault(
        "text.encode", "text.characters", "", encode_as(lambda content: newlines(content.decode()).lower(), utf_16)
    ),
    "numbered_as_they_come": Fault("text.encode", "text.characters", "", numbered_as_they_come),
    "numbers_of_8_bits": Fault("text.encode", "text.many-characters", "the numbers of the text", narrow(np.uint8)),
    "numbers_of_16_bits": Fault("text.encode", "text.many-characters", "the numbers of the text", narrow(np.int16)),
    "texts_returned_again": Fault("text.encode", "text.results-stay", "after its result was changed", returned_again),
    "dictionaries_shared": Fault(
        "text.encode", "text.results-stay", "something else after its result was changed", dictionaries_shared()
    ),
}
