"""The OpenAPI 3.1 document: local references only, problems as they are sent, the owner's token as an option."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from twintown.api import answers
from twintown.api.problems import Problem

router = APIRouter()
MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.1"
DESCRIPTION = """\
City digital twins over HTTP. Reading what is graded O needs no key; the owner of a twin sends its token.
Unknown query parameters are refused with 400. Errors are RFC 9457 problems.
Coordinates in GeoJSON are longitude and latitude (WGS 84); plane coordinates are metres in the twin's own frame."""


def document(app: FastAPI) -> dict[str, Any]:
    """The document of an app; the same routes give the same bytes."""
    if app.openapi_schema:
        return app.openapi_schema
    made = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        routes=app.routes,
        tags=app.openapi_tags,
        separate_input_output_schemas=False,
    )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):  # ours leave as problems with status 400
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    schemas["Problem"] = problem
    made["components"]["schemas"] = dict(sorted(schemas.items()))
    made["components"]["securitySchemes"] = {"owner": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{}, {"owner": []}]
    made["servers"] = [{"url": "/"}]
    for operations in made["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    app.openapi_schema = made
    return made


@router.get("/openapi.json", include_in_schema=False)
def get_document(request: Request) -> Response:
    """This document."""
    return answers.answer(request, answers.dumps(request.app.openapi()), MEDIA_TYPE)
