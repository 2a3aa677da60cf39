"""What people use today to send to many, against the same stub as Pregón: `make bench-peers`.

`with_*` are the peers, each written as its own documentation does. They run in an environment of their own
(requirements/peers.txt) and import nothing of Pregón's; `python -m bench.peers` drives them.
"""
