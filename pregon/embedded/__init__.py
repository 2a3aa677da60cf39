"""PostgreSQL from a wheel: found, initialised and kept running, with nothing to install or configure.

``server.running(home)`` is the way in; ``server.reachable(home)`` joins one that another process runs.
The rest, in the order it is used: ``lock`` (one server per home), ``owner`` (whom it runs as), ``place``
(where its files live), ``binaries``, ``cluster`` (the data directory), ``server``.
Nothing here knows Django: the database is up before the settings are read.
"""
