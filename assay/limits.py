"""Statistical limits: computed from stored runs of the reference by one rule, with both of its error rates.

A correct implementation must hardly ever fail, and it must be known how small a defect is still found.
"""

from __future__ import annotations

# The probability that a correct implementation fails one statistical claim. With a hundred such claims, which is
# more than the document has, a run a day raises a false alarm once in 27 years.
FALSE_ALARM = 1e-6
