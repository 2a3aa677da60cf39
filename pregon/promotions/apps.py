"""What promotions connect once Django is ready."""

from typing import Any

from django.apps import AppConfig


class PromotionsConfig(AppConfig):
    name = "pregon.promotions"

    def ready(self) -> None:
        from pregon.contacts import segments

        segments.changed.connect(_follow_segment)


def _follow_segment(sender: Any, *, segment: Any, **_more: Any) -> None:
    from pregon.promotions import broadcasts  # models are not there yet when this module is read

    broadcasts.follow_segment(segment)
