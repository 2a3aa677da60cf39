"""The people of the demo bakery: a few hundred made-up names, as a shop's own spreadsheet would have them.

Every number is +52 222 555 followed by four digits; those below 0100 are the simulator's personas (its `personas` module), so
that a first sending shows what can happen. Always the same people: a second start finds what the first one made.
"""

import csv
import io
import random
from collections.abc import Iterator, Sequence

HEADERS = ("Nombre", "Celular", "Correo", "Acepta promociones", "Etiquetas", "Sucursal")
PEOPLE = 300

FIRST = [
    "Mariana",
    "José",
    "Guadalupe",
    "Ana",
    "Luis",
    "Carmen",
    "Jorge",
    "Sofía",
    "Miguel",
    "Rosa",
    "Fernando",
    "Valeria",
    "Carlos",
    "Daniela",
    "Ricardo",
    "Leticia",
    "Óscar",
    "Paola",
    "Héctor",
    "Ximena",
    "Raúl",
    "Norma",
    "Iván",
    "Teresa",
    "Adrián",
    "Yolanda",
    "Emilio",
    "Lorena",
    "Tomás",
    "Itzel",
]
LAST = [
    "Hernández",
    "García",
    "Martínez",
    "López",
    "González",
    "Pérez",
    "Rodríguez",
    "Sánchez",
    "Ramírez",
    "Cruz",
    "Flores",
    "Gómez",
    "Morales",
    "Vázquez",
    "Reyes",
    "Jiménez",
    "Torres",
    "Díaz",
    "Gutiérrez",
    "Ruiz",
    "Mendoza",
    "Aguilar",
    "Ortiz",
    "Castillo",
    "Romero",
    "Álvarez",
    "Rivera",
    "Chávez",
    "Ramos",
    "Domínguez",
]
BRANCHES = ("Centro", "Norte", "Cholula")

# Ends of the numbers that behave in a way of their own.
PERSONAS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15, 16)
INCOMPLETE = ("222 555 01", "55501", "222 555 4", "222-555-77", "2225550")
IMPOSSIBLE = ("123", "000 000 0000", "no tiene", "222 555 0142 0142 33")

Row = tuple[str, str, str, str, str, str]


def rows() -> list[Row]:
    """What the bakery's sheet says, in the order of HEADERS."""
    dice = random.Random(1887)
    names = _names(dice)
    ends = [*PERSONAS, *dice.sample(range(200, 10_000), PEOPLE - len(PERSONAS))]
    people = [_person(dice, next(names), f"222 555 {end:04d}") for end in ends]
    broken = [_person(dice, next(names), raw) for raw in (*INCOMPLETE, *IMPOSSIBLE)]
    doubles = [_again(person) for person in people[40:52]]
    return [*people, *broken, *doubles]


def sheet(people: Sequence[Row]) -> bytes:
    """As Excel saves it: UTF-8 with its mark."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADERS, *people])
    return text.getvalue().encode("utf-8-sig")


def _names(dice: random.Random) -> Iterator[str]:
    pairs = [f"{first} {last} {second}" for first in FIRST for last in LAST for second in LAST[:7] if second != last]
    dice.shuffle(pairs)
    return iter(pairs)


def _person(dice: random.Random, name: str, mobile: str) -> Row:
    """Eight of ten said yes, and all that show something; for the others the cell is empty."""
    email = f"cliente{dice.randrange(1_000, 10_000)}@ejemplo.example" if dice.random() < 0.4 else ""
    said = "sí" if dice.random() < 0.82 or mobile < "222 555 0100" else ""
    branch = dice.choice(BRANCHES)
    tags = ", ".join(
        [branch, *(["Mayoreo"] if dice.random() < 0.12 else []), *(["Desayunos"] if dice.random() < 0.2 else [])]
    )
    return (name, mobile, email, said, tags, branch)


def _again(person: Row) -> Row:
    """The same person a second time, written another way."""
    name, mobile, email, said, tags, branch = person
    return (name.upper(), "044 " + mobile.replace(" ", ""), email, said, tags, branch)
