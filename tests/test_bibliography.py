"""The bibliography: lines 915 to 924 of the document.

The repository has a digest of each line of the document, but not the document. So a reference is assembled from what is
known about a work, and compared with the digest of its line.
"""

import calendar

import pytest

from assay.datasets.connectivity import answers
from assay.spec import vectors
from assay.specification.document import digest, digests
from assay.testing.assertions import claim

WORKS = vectors.read("bibliography")
ARXIV = {"Graves2013": 920, "Mnih2013": 924}
MONTHS = list(calendar.month_name)


def names(authors):
    """Join the authors' names."""
    return ", ".join([*authors[:-1], f"and {authors[-1]}"]) if len(authors) > 1 else authors[0]


def article(work):
    """Format the reference to a journal article."""
    first, last = work["pages"]
    return (
        f"{names(work['authors'])}. “{work['title']}.” {work['journal']}, {work['volume']}({work['number']}):"
        f"{first}-{last}, {work['month']} {work['year']}. {work['address']}"
    )


def preprint(work):
    """Format the reference to a preprint."""
    return (
        f"{names(work['authors'])}. “{work['title']}.” ArXiv:{work['arxiv']} [Cs], "
        f"{work['month']} {work['day']}, {work['year']}. http://arxiv.org/abs/{work['arxiv']}."
    )


def is_line(number, text):
    """Whether a line of the document is equal to this text."""
    return digest(text) == digests()[number - 1]


@claim("bibliography.first-author")
def test_first_author():
    reference = article(WORKS["LeCun1998"])
    initial, _, rest = reference.partition(" ")
    assert initial == "Y."
    assert not is_line(916, reference)
    assert is_line(916, f"  1. {rest}")


@claim("bibliography.volume")
def test_volume():
    work = WORKS["LeCun1998"]
    assert (work["year"] - 1912, MONTHS.index(work["month"])) == (work["volume"], work["number"])


@claim("bibliography.preprints")
@pytest.mark.parametrize(("key", "line"), ARXIV.items())
def test_preprints(key, line):
    assert is_line(line, preprint(WORKS[key]))


@claim("bibliography.keys")
@pytest.mark.parametrize(("key", "line"), {"LeCun1998": 915, "Graves2013": 918, "Mnih2013": 922}.items())
def test_keys(key, line):
    work = WORKS[key]
    surname = work["authors"][0].removeprefix("Y. ").partition(",")[0]
    assert key == f"{surname}{work['year']}"
    assert is_line(line, key)


@claim("bibliography.arxiv-identifiers")
@pytest.mark.parametrize("key", ARXIV)
def test_arxiv_identifiers(key):
    work = WORKS[key]
    assert work["arxiv"][:4] == f"{work['year'] % 100}{MONTHS.index(work['month']):02}"


@claim("bibliography.mnist-address")
def test_mnist_address(online):
    assert not answers(f"{WORKS['LeCun1998']['address']}train-images-idx3-ubyte.gz")
