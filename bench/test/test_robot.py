from __future__ import annotations

import pytest

from fer_bench import robot
from fer_common.core.errors import FerError


def test_a_confined_process_gets_no_more_than_its_share() -> None:
    try:
        with robot.confined(0.2) as prefix:
            assert 0 < robot.busy_share(prefix, 0.3) < 0.3
    except FerError as error:
        pytest.skip(str(error))
