"""OGC API - Processes - Part 1: Core 1.0 (18-062r2), requirement by requirement.

http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core
http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/ogc-process-description
http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/json
http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/html
http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/oas30
http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/job-list
http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/callback
http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/dismiss
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.api.answering import ECHO, THREE, answering, offering
from tests.api.conftest import write_twin
from tests.jobs.test_callbacks import subscriber

from twintown.app import create_app
from twintown.jobs.callbacks import Callbacks
from twintown.jobs.outgoing import hosts_of
from twintown.jobs.queue import Queue
from twintown.settings import Settings

pytestmark = pytest.mark.slow

CONF = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf"
CLASSES = ("core", "ogc-process-description", "json", "html", "oas30", "job-list", "dismiss")
REL = "http://www.opengis.net/def/rel/ogc/1.0"
TYPE = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"
ROOT = "/twins/small"
STATES = {"accepted", "running", "successful", "failed", "dismissed"}
#: The keys of a schema that schema.yaml of the standard allows.
SCHEMA = {
    "title", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems",
    "minItems", "uniqueItems", "maxProperties", "minProperties", "required", "enum", "type", "not", "allOf", "oneOf", "anyOf", "items",
    "properties", "additionalProperties", "description", "format", "default", "nullable", "readOnly", "writeOnly", "example",
    "externalDocs", "deprecated", "contentMediaType", "contentEncoding", "contentSchema", "$ref",
}  # fmt: skip


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    directory = write_twin(tmp_path_factory.mktemp("conformance-processes") / "small")
    app = create_app([directory], Settings(callbacks="127.0.0.1"), warm=False)
    with offering(), answering(app), TestClient(app, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture
def get(http: TestClient) -> Any:
    def ask(path: str = "", accept: str = "application/json", **query: Any) -> Any:
        return http.get(
            f"{ROOT}{path}" if path[:4] != "http" else path, headers={"Accept": accept}, params=query or None
        )

    return ask


@pytest.fixture
def execute(http: TestClient) -> Any:
    def ask(process: str, alone: bool = False, **body: Any) -> Any:
        headers = {"Accept": "application/json"} | ({"Prefer": "respond-async"} if alone else {})
        return http.post(f"{ROOT}/processes/{process}/execution", json=body, headers=headers)

    return ask


def linked(body: Any, relation: str) -> list[dict[str, Any]]:
    return [link for link in body["links"] if link["rel"] == relation]


def done(get: Any, job: str) -> Any:
    for _ in range(400):
        status = get(job).json()
        if status["status"] not in ("accepted", "running"):
            return status
        time.sleep(0.02)
    raise AssertionError(status)


def job_of(answer: Any) -> str:
    """The address in the header Link of a synchronous answer."""
    return str(re.search(r"<([^>]+)>; rel=monitor", answer.headers["link"])[1])  # type: ignore[index]


def parts_of(answer: Any) -> list[tuple[dict[str, str], bytes]]:
    boundary = answer.headers["content-type"].partition("boundary=")[2].encode()
    found = []
    for part in answer.content.split(b"--" + boundary)[1:-1]:
        head, _, body = part.strip(b"\r\n").partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        found.append((fields, body))
    return found


# -- core ------------------------------------------------------------------------------------------------------


def test_landing_page_and_conformance(get: Any) -> None:
    """/req/core/landingpage-op, landingpage-success, api-definition-op, api-definition-success, conformance-op, conformance-success"""
    landing = get().json()
    for relation in ("service-desc", "service-doc", "conformance", f"{REL}/processes", f"{REL}/job-list"):
        for link in linked(landing, relation):
            assert get(link["href"], accept=link["type"]).status_code == 200, link
        assert linked(landing, relation), relation
    claimed = get("/conformance").json()["conformsTo"]
    assert {f"{CONF}/{name}" for name in (*CLASSES, "callback")} <= set(claimed)


def test_callbacks_are_claimed_only_where_they_are_sent(tmp_path_factory: pytest.TempPathFactory) -> None:
    """/req/core/conformance-success"""
    app = create_app([], Settings(), warm=False)
    assert f"{CONF}/callback" not in app.state.conformance
    assert f"{CONF}/core" in app.state.conformance


def test_the_list_of_processes(get: Any) -> None:
    """/req/core/process-list, process-list-success, pl-limit-definition, pl-limit-response, pl-links"""
    body = get("/processes").json()
    assert {"echo", "three"} <= {one["id"] for one in body["processes"]}
    for one in body["processes"]:
        assert {"id", "version", "jobControlOptions", "outputTransmission", "links"} <= set(one)
        assert set(one["jobControlOptions"]) == {"sync-execute", "async-execute", "dismiss"}
        assert set(one["outputTransmission"]) == {"value", "reference"}
        assert get(linked(one, "self")[0]["href"]).json()["id"] == one["id"]
    assert linked(body, "self") and linked(body, "alternate")[0]["type"] == "text/html"
    assert len(get("/processes", limit=1).json()["processes"]) == 1
    for wrong in (0, 1001, "many"):
        assert get("/processes", limit=wrong).status_code == 400


def test_a_process_and_one_that_is_not_there(get: Any) -> None:
    """/req/core/process, process-success, process-exception-no-such-process"""
    found = get("/processes/echo")
    assert found.status_code == 200
    assert found.json()["id"] == "echo"
    missing = get("/processes/no-such")
    assert (missing.status_code, missing.json()["type"]) == (404, f"{TYPE}/no-such-process")
    assert missing.headers["content-type"] == "application/json"  # who accepts nothing else
    assert get("/processes/no-such", accept="*/*").headers["content-type"] == "application/problem+json"


def test_execution_is_asynchronous_by_preference_and_else_synchronous(get: Any, execute: Any) -> None:
    """/req/core/job-creation-op, job-creation-auto-execution-mode, job-creation-default-execution-mode, job-creation-success-async"""
    alone = execute("echo", alone=True, inputs={"message": "mode"})
    assert alone.status_code == 201
    assert alone.headers["preference-applied"] == "respond-async"
    status = get(alone.headers["location"]).json()
    assert status["jobID"] == alone.json()["jobID"]
    assert done(get, alone.headers["location"])["status"] == "successful"
    assert execute("echo", inputs={"message": "mode"}).status_code == 200


def test_inputs_are_taken_inline_by_reference_as_arrays_and_in_objects(execute: Any) -> None:
    """/req/core/job-creation-request, job-creation-inputs, job-creation-input-inline, -input-ref, -input-array, -input-inline-object,
    -input-inline-mixed, -input-inline-binary"""
    for message in ("plain", {"value": "object"}, {"href": "data:application/json,%22reference%22"}):
        said = {"inputs": {"message": message, "numbers": [1, 2.5, 3]}}
        answer = execute("echo", **said)
        assert answer.status_code == 200, answer.text
        properties = answer.json()["features"][0]["properties"]
        assert properties["message"] in ("plain", "object", "reference")
        assert properties["numbers"] == "[1, 2.5, 3]"
    coded = base64.b64encode(b"bytes").decode()
    answer = execute(
        "echo",
        inputs={"message": {"value": coded, "encoding": "base64", "mediaType": "application/octet-stream"}},
    )
    assert answer.json()["features"][0]["properties"]["message"] == coded


def test_inputs_are_checked_against_their_description(execute: Any) -> None:
    """/req/core/job-creation-input-validation"""
    for inputs, name in (
        ({"message": 1}, "message"),
        ({"pause_s": 1000}, "pause_s"),
        ({"unknown": 1}, "unknown"),
    ):
        answer = execute("echo", inputs=inputs)
        assert (answer.status_code, answer.json()["parameter"]) == (400, name)
        assert answer.json()["type"] and answer.json()["detail"]
    assert execute("echo", **{"invalid-execute-request": "true"}).status_code == 400


def test_all_outputs_come_where_none_is_named(execute: Any) -> None:
    """/req/core/job-creation-default-outputs"""
    for outputs in ({}, {"outputs": {}}):
        document = execute("three", response="document", **outputs).json()
        assert set(document) == {one.layer for one in THREE.outputs}


def _modes(**modes: str) -> dict[str, Any]:
    return {f"three-{name}": {"transmissionMode": mode} for name, mode in modes.items()}


CASES = {
    "document": ({"response": "document", "outputs": _modes(grid="value", points="reference")}, 200),
    "raw-value-one": ({"outputs": _modes(points="value")}, 200),
    "raw-value-multi": ({"outputs": _modes(grid="value", points="value")}, 200),
    "raw-ref": ({"outputs": _modes(grid="reference", points="reference")}, 204),
    "raw-mixed-multi": ({"outputs": _modes(grid="reference", points="value")}, 200),
}


@pytest.mark.parametrize("alone", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("case", CASES)
def test_results_come_as_document_and_raw(get: Any, execute: Any, case: str, alone: bool) -> None:
    """/req/core/job-creation-sync-document, -sync-raw-value-one, -sync-raw-value-multi, -sync-raw-ref, -sync-raw-mixed-multi,
    job-results-sync, job-results-async-document, -async-raw-value-one, -async-raw-value-multi, -async-raw-ref, -async-raw-mixed-multi"""
    body, code = CASES[case]
    answer = execute("three", alone=alone, **body)
    if alone:
        job = answer.headers["location"]
        done(get, job)
        answer = get(f"{job}/results", accept="*/*")
    else:
        assert get(job_of(answer)).json()["status"] == "successful"
    assert answer.status_code == code
    if case == "document":
        said = answer.json()
        assert base64.b64decode(said["three-grid"]["value"])[:2] == b"II"
        assert get(said["three-points"]["href"]).json()["itemType"] == "feature"
    elif case == "raw-value-one":
        assert answer.headers["content-type"] == "application/geo+json"
        assert answer.json()["type"] == "FeatureCollection"
    elif case == "raw-ref":
        assert answer.content == b""
        assert len(re.findall(r'<[^>]+>; rel="item"', answer.headers["link"])) == 2
    else:
        found = parts_of(answer)
        assert [fields["Content-ID"] for fields, _ in found] == ["<three-grid>", "<three-points>"]
        assert json.loads(found[1][1])["type"] == "FeatureCollection"
        fields, value = found[0]
        if case == "raw-mixed-multi":
            assert value == b""
            assert get(fields["Content-Location"]).status_code == 200
        else:
            assert value[:2] == b"II"


def test_the_status_of_a_job_and_one_that_is_not_there(get: Any, execute: Any) -> None:
    """/req/core/job, job-success, job-exception-no-such-job"""
    job = execute("echo", alone=True, inputs={"message": "status"}).headers["location"]
    status = done(get, job)
    assert {"jobID", "status", "type"} <= set(status)
    assert (status["type"], status["processID"]) == ("process", "echo")
    assert status["status"] in STATES
    assert 0 <= status["progress"] <= 100
    for name in ("created", "started", "finished", "updated"):
        assert datetime.fromisoformat(status[name]).tzinfo is not None
    assert None not in status.values()
    assert get(linked(status, f"{REL}/results")[0]["href"]).status_code == 200
    for path in ("/jobs/none", "/jobs/none/results"):
        missing = get(path)
        assert (missing.status_code, missing.json()["type"]) == (404, f"{TYPE}/no-such-job"), path


def test_results_that_are_not_ready_and_of_a_job_that_failed(get: Any, execute: Any) -> None:
    """/req/core/job-results, job-results-exception-no-such-job, job-results-exception-results-not-ready, job-results-failed"""
    job = execute("echo", alone=True, inputs={"message": "not ready", "pause_s": 0.5}).headers["location"]
    early = get(f"{job}/results")
    assert (early.status_code, early.json()["type"]) == (404, f"{TYPE}/result-not-ready")
    done(get, job)
    assert get(f"{job}/results").status_code == 200
    failed = execute("broken", alone=True).headers["location"]
    assert done(get, failed)["status"] == "failed"
    late = get(f"{failed}/results")
    assert late.status_code == 500
    assert {"type", "title", "status", "detail"} <= set(late.json())


# -- OGC process description -----------------------------------------------------------------------------------


def _allowed(schema: Any) -> None:
    """Whether a schema keeps to schema.yaml of the standard."""
    assert isinstance(schema, dict)
    assert {key for key in schema if not key.startswith("x-")} <= SCHEMA, sorted(schema)
    assert isinstance(schema.get("type", "string"), str), "one type, as OpenAPI 3.0 has it"
    for key in ("oneOf", "anyOf", "allOf"):
        for one in schema.get(key, ()):
            _allowed(one)
    for one in schema.get("properties", {}).values():
        _allowed(one)
    if "items" in schema:
        _allowed(schema["items"])


def test_descriptions_of_inputs_and_outputs(get: Any) -> None:
    """/req/ogc-process-description/json-encoding, inputs-def, input-def, input-mixed-type, outputs-def, output-def, output-mixed-type"""
    for listed in get("/processes").json()["processes"]:
        process = get(f"/processes/{listed['id']}").json()
        assert {"id", "version", "inputs", "outputs"} <= set(process)
        for kind in ("inputs", "outputs"):
            for name, one in process[kind].items():
                assert one["title"], name
                _allowed(one["schema"])
        for one in process["inputs"].values():
            assert (one["minOccurs"], one["maxOccurs"]) == (0, 1)
        for one in process["metadata"]:
            assert one["title"] and one["role"]
    pause = get("/processes/echo").json()["inputs"]["pause_s"]["schema"]
    assert (pause["type"], pause["x-ogc-unit"], pause["minimum"], pause["maximum"]) == ("number", "s", 0, 60)
    assert {one.name for one in ECHO.inputs} == set(get("/processes/echo").json()["inputs"])


# -- JSON, HTML, OpenAPI 3.0 -----------------------------------------------------------------------------------


def test_every_resource_is_json_and_html(get: Any, execute: Any) -> None:
    """/req/json/definition, /req/html/definition, /req/html/content"""
    job = execute("echo", alone=True, inputs={"message": "페이지"}).headers["location"]
    done(get, job)
    for path in ("", "/conformance", "/processes", "/processes/echo", "/jobs", job, f"{job}/results"):
        assert "json" in get(path).headers["content-type"], path
        page = get(path, accept="text/html")
        assert page.status_code == 200, path
        assert page.headers["content-type"].startswith("text/html"), path
        assert page.headers["content-language"] in ("ko", "en")
    words = get("/processes/echo", accept="text/html", lang="ko").text
    for word in ("메아리", "message", "pause_s"):
        assert word in words


def test_the_api_definition_knows_the_operations(get: Any) -> None:
    """/req/oas30/oas-definition-1, oas-definition-2, oas-impl, completeness, exceptions-codes, security"""
    document = get("/api", f="openapi30").json()
    assert document["openapi"].startswith("3.0")
    known = {
        operation["operationId"]: operation
        for item in document["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict) and "operationId" in operation
    }
    for name in (
        "getProcesses",
        "getProcessDescription",
        "execute",
        "getJobs",
        "getStatus",
        "getResult",
        "dismiss",
    ):
        assert {"200", "404"} <= set(known[name]["responses"]), name
    assert {"successUri", "inProgressUri", "failedUri"} == set(known["execute"]["callbacks"])
    assert {"200", "201", "400", "429", "500"} <= set(known["execute"]["responses"])
    assert document["security"]


# -- job list --------------------------------------------------------------------------------------------------


def test_the_list_of_jobs_and_its_filters(get: Any, execute: Any) -> None:
    """/req/job-list/job-list-op, job-list-success, links, type-*, processID-*, status-*, datetime-*, duration-*, limit-*"""
    for message in ("l1", "l2"):
        execute("echo", inputs={"message": message})
    execute("broken")
    body = get("/jobs", limit=1000).json()
    assert len(body["jobs"]) >= 3
    assert linked(body, "self") and linked(body, "alternate")
    for one in body["jobs"]:
        assert {"jobID", "status", "type"} <= set(one)
    assert get("/jobs", type="process").json()["jobs"]
    assert {one["processID"] for one in get("/jobs", processID="broken").json()["jobs"]} == {"broken"}
    assert {one["status"] for one in get("/jobs", status="successful").json()["jobs"]} == {"successful"}
    moment = body["jobs"][-1]["created"]
    assert [one["jobID"] for one in get("/jobs", datetime=f"../{moment}").json()["jobs"]] == [
        body["jobs"][-1]["jobID"]
    ]
    assert get("/jobs", minDuration=86400).json()["jobs"] == []
    first = get("/jobs", limit=1).json()
    assert len(first["jobs"]) == 1
    second = get(linked(first, "next")[0]["href"]).json()
    assert second["jobs"][0]["jobID"] == body["jobs"][1]["jobID"]


# -- dismiss, callback -----------------------------------------------------------------------------------------


def test_a_job_is_dismissed(get: Any, execute: Any, http: TestClient) -> None:
    """/req/dismiss/job-dismiss-op, job-dismiss-success"""
    job = execute("echo", alone=True, inputs={"message": "no more", "pause_s": 20}).headers["location"]
    gone = http.delete(job)
    assert gone.status_code == 200
    assert (gone.json()["status"], gone.json()["type"]) == ("dismissed", "process")
    assert http.delete(f"{ROOT}/jobs/none").json()["type"] == f"{TYPE}/no-such-job"
    assert get(job).json()["status"] == "dismissed"


def test_who_asked_is_called_back(http: TestClient, execute: Any) -> None:
    """/req/callback/job-callback"""
    twin = http.app.state.open.shelf.twins["small"].twin  # type: ignore[attr-defined]
    with subscriber() as (url, letters):
        answer = execute(
            "three",
            subscriber={"successUri": f"{url}/done", "failedUri": f"{url}/failed"},
            outputs=_modes(points="reference"),
        )
        job = Queue(twin.tables).get(job_of(answer).rpartition("/")[2])
        Callbacks(hosts_of("127.0.0.1"), "").heard(twin, job)  # as the keeper does with every change
        path, results = letters.get(timeout=5)
        assert path == "/done"
        assert http.get(results["three-points"]["href"]).json()["kind"] == "features"
    refused = execute("three", subscriber={"successUri": "https://elsewhere.example/"})
    assert (refused.status_code, refused.json()["parameter"]) == (400, "subscriber.successUri")
