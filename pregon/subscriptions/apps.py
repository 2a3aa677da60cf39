from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    name = "pregon.subscriptions"

    def ready(self) -> None:
        from pregon.accounts import signup
        from pregon.subscriptions import changes

        signup.account_opened.connect(changes.open_with_first_plan, dispatch_uid="subscriptions.first_plan")
