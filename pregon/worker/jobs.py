"""Gathers the jobs that the packages declare beside their functions."""

from importlib import import_module

from procrastinate import App

OWNERS = ("contacts", "whatsapp", "sending", "subscriptions", "promotions", "support", "webhooks")


def register(app: App) -> None:
    """Called by procrastinate once Django is ready: `pregon.sending.jobs.blueprint` runs as `sending:…`."""
    for owner in OWNERS:
        app.add_tasks_from(import_module(f"pregon.{owner}.jobs").blueprint, namespace=owner)
