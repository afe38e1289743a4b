"""Identifiers in SQL text."""


def quote(name: str) -> str:
    """Return a name, possibly qualified by a schema, as a quoted SQL identifier.

    >>> quote('natural_person.profiles')
    '"natural_person"."profiles"'
    """
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))
