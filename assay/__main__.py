"""`python -m assay`."""

import sys

from assay.cli.parser import main

sys.exit(main())
