"""The simulator, for what Meta must answer."""

from tests.whatsapp.conftest import simulator

__all__ = ["simulator"]
