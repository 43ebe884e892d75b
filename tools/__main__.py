"""Entry of `./fer`."""

import sys

from fer_setup.main import main

sys.exit(main(sys.argv[1:]))
