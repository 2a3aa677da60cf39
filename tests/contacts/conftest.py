"""What the tests of imports share."""

import pytest

from pregon.contacts import import_saving, import_undoing


@pytest.fixture
def small_parts():
    """So that a file of some hundred rows has several."""
    usual = import_saving.PART, import_saving.RUN, import_saving.FEW, import_undoing.PART
    import_saving.PART, import_saving.RUN, import_saving.FEW, import_undoing.PART = 100, 1, 0, 50
    yield
    import_saving.PART, import_saving.RUN, import_saving.FEW, import_undoing.PART = usual
