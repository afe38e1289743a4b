"""What the Reconciliation Service API 0.2 asks of its answers, as JSON schemas in our own words.

Written from the specification of the W3C Entity Reconciliation Community Group (https://www.w3.org/community/reports/
reconciliation/CG-FINAL-specs-0.2-20230410/): required members and their types; members it does not name are refused.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def record(required: Schema, optional: Schema | None = None) -> Schema:
    """Return the schema of an object with these members and no others."""
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


TEXT: Schema = {"type": "string"}
NAMED = record({"id": TEXT, "name": TEXT})
PLACE = record({"service_url": {"type": "string", "pattern": "^https?://"}, "service_path": TEXT})

MANIFEST = record(
    {"name": TEXT, "identifierSpace": {"type": "string", "format": "uri"}, "schemaSpace": TEXT},
    {
        "versions": {"type": "array", "items": TEXT, "contains": {"const": "0.2"}},
        "defaultTypes": {"type": "array", "items": NAMED},
        "view": record({"url": {"type": "string", "pattern": r"\{\{id\}\}"}}),
        "preview": record(
            {
                "url": {"type": "string", "pattern": r"\{\{id\}\}"},
                "width": {"type": "integer"},
                "height": {"type": "integer"},
            }
        ),
        "suggest": record({}, {"entity": PLACE, "property": PLACE, "type": PLACE}),
        "extend": record({}, {"propose_properties": PLACE, "property_settings": {"type": "array"}}),
        "batchSize": {"type": "integer"},
    },
)
CANDIDATE = record(
    {"id": TEXT, "name": TEXT, "score": {"type": "number", "minimum": 0, "maximum": 100}},
    {
        "match": {"type": "boolean"},
        "description": TEXT,
        "type": {"type": "array", "items": NAMED},
        "features": {"type": "array", "items": record({"id": TEXT, "value": {}})},
    },
)
RESULTS: Schema = {
    "type": "object",
    "patternProperties": {"^.+$": record({"result": {"type": "array", "items": CANDIDATE}})},
    "additionalProperties": False,
}
CELLS: Schema = {"type": "array", "items": record({"str": TEXT})}
EXTENSION = record(
    {
        "meta": {"type": "array", "items": NAMED},
        "rows": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": CELLS}},
    }
)
PROPERTIES = record({"properties": {"type": "array", "items": NAMED}}, {"type": TEXT, "limit": {"type": "integer"}})
SUGGESTIONS = record({"result": {"type": "array", "items": record({"id": TEXT, "name": TEXT}, {"description": TEXT})}})
