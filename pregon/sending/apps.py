"""What sending connects once Django is ready."""

from django.apps import AppConfig


class SendingConfig(AppConfig):
    name = "pregon.sending"

    def ready(self) -> None:
        from pregon.sending import activity, merging, written

        activity.register()
        merging.connect()
        written.connect()
