"""Numbers, accounts and templates as Graph API shows them."""

import time

from pregon.simulator.world import Json, Number, Template, Waba, World

TEMPLATE_FIELDS = ("id", "name", "language", "status", "category", "components", "parameter_format", "rejected_reason")


def number(world: World, one: Number) -> Json:
    level = "HIGH" if one.mps > 80 else "STANDARD"
    can = "AVAILABLE" if one.status == "CONNECTED" else "BLOCKED"
    return {
        "id": one.id,
        "display_phone_number": one.display,
        "verified_name": one.name,
        "quality_rating": one.quality,
        "code_verification_status": "VERIFIED",
        "name_status": "APPROVED",
        "status": one.status,
        "account_mode": "LIVE",
        "platform_type": "CLOUD_API",
        "is_on_biz_app": one.on_app,
        "throughput": {"level": level},
        "whatsapp_business_manager_messaging_limit": one.tier,
        "quality_score": {"score": one.quality},
        "is_official_business_account": False,
        "is_pin_enabled": True,
        "webhook_configuration": {"application": world.settings.callback}
        | ({"phone_number": one.callback} if one.callback else {}),
        "health_status": {
            "can_send_message": can,
            "entities": [
                {"entity_type": "PHONE_NUMBER", "id": one.id, "can_send_message": can},
                {"entity_type": "WABA", "id": one.waba_id, "can_send_message": "AVAILABLE"},
            ],
        },
    }


def waba(world: World, one: Waba) -> Json:
    return {
        "id": one.id,
        "name": one.name,
        "currency": "MXN",
        "timezone_id": "83",
        "country": "MX",
        "account_review_status": "APPROVED",
        "business_verification_status": "verified",
        "status": "ACTIVE",
        "ownership_type": "SELF",
        "owner_business_info": {"name": one.name, "id": world.owner(one.id)},
        "health_status": {"can_send_message": "AVAILABLE", "entities": []},
    }


def template(world: World, one: Template) -> Json:
    shown: Json = {name: getattr(one, name, None) for name in TEMPLATE_FIELDS}
    return shown | {"quality_score": {"score": one.quality, "date": int(time.time())}}
