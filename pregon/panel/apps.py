"""What the panel connects once Django is ready."""

from django.apps import AppConfig


class PanelConfig(AppConfig):
    name = "pregon.panel"

    def ready(self) -> None:
        from pregon.panel import launching

        launching.connect()
