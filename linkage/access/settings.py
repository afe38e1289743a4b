"""The settings of the resolve service: limits that keep one caller, or one request, from harming the others."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class ServiceSettings(BaseModel):
    """What the service takes.

    Attributes:
        requests_per_second: questions a token may ask on average; every item of a batch is one.
        request_burst: questions a token may ask at once.
        person_looks_per_minute: looks at natural persons by entity id, and questions about persons that find nobody, a
            token may make on average: whoever goes through numbers makes many.
        person_look_burst: such looks at once.
        body_bytes: largest body of a request.
        request_seconds: longest a request may take, its body included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_second: Annotated[float, Field(gt=0)] = 2000.0
    request_burst: Annotated[float, Field(ge=1)] = 4000.0
    person_looks_per_minute: Annotated[float, Field(gt=0)] = 120.0
    person_look_burst: Annotated[float, Field(ge=1)] = 600.0
    body_bytes: Annotated[int, Field(ge=1024)] = 2_000_000
    request_seconds: Annotated[float, Field(gt=0)] = 10.0
