"""The plans on offer: rows that the provider edits."""

from pregon.subscriptions.models import Module, Plan


def public() -> list[Plan]:
    """What a business may choose from, the smallest first."""
    return list(Plan.objects.filter(is_public=True))


def offering(module: Module) -> list[Plan]:
    """Those that include the module."""
    return [plan for plan in public() if module in plan.modules]


def initial() -> Plan | None:
    """What a new business starts with; None: nothing, until someone chooses."""
    return Plan.objects.filter(is_initial=True).first()
