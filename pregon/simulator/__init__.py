"""Practice mode: a local Meta that answers like the Cloud API, with virtual phones. Nothing here reaches WhatsApp.

An ASGI program of its own, in memory, with an optional state file; the product knows it only as another base address.
`app.create_app` makes it, `cli.simulator` runs it, `setup` says what it starts with, `personas` how its phones behave.
"""
