"""`python -m fer_bench.link`."""

import sys

from fer_bench.link.main import main

sys.exit(main())
