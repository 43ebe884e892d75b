"""Entry of `./fer`."""

# The module signal takes milliseconds to import, in which Ctrl-C would write a traceback.
import _signal  # type: ignore[import-not-found]

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import sys

from fer_setup.main import main

sys.exit(main(sys.argv[1:]))
