"""Whom: people, their permission with its evidence, and the files they came in.

`db_index=False` where another index starts with the same column: each one less is felt when a file of 100,000 comes in.
"""

from pregon.contacts.models.acts import ConsentEntry, Erasure, OptinPage, OptinRequest, OptinText, Refusal, Source
from pregon.contacts.models.imports import Before, ContactImport, ImportPart, RememberedMapping
from pregon.contacts.models.people import (
    Change,
    Consent,
    Contact,
    ContactTag,
    Field,
    Merge,
    MobileProblem,
    Pair,
    Segment,
    Tag,
    Tally,
)
from pregon.contacts.models.tasks import Task, TaskPart

__all__ = [
    "Before",
    "Change",
    "Consent",
    "ConsentEntry",
    "Contact",
    "ContactImport",
    "ContactTag",
    "Erasure",
    "Field",
    "ImportPart",
    "Merge",
    "MobileProblem",
    "OptinPage",
    "OptinRequest",
    "OptinText",
    "Pair",
    "Refusal",
    "RememberedMapping",
    "Segment",
    "Source",
    "Tag",
    "Tally",
    "Task",
    "TaskPart",
]
