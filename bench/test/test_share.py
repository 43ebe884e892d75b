from __future__ import annotations

import pytest

from fer_bench import share
from fer_common.core.errors import FerError


def test_a_confined_process_gets_no_more_than_its_share() -> None:
    try:
        with share.confined(0.2) as (means, prefix):
            assert means
            assert 0 < share.measured(prefix, 0.3) < 0.3
    except FerError as error:
        pytest.skip(str(error))
