"""Meta's WhatsApp Cloud API in our own words. Pure Python: no Django, no database.

`client` sends and asks, `management` keeps templates and media, `payloads` builds bodies, `errors` and `codes`
say what an error means for us, `events` reads webhooks, `signature` proves where they come from.
"""
