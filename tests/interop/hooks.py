"""What Schemathesis cannot know of our API: ids that exist, and streams that do not end by themselves.

Loaded by Schemathesis as hooks; `schemathesis.sh` also runs it, as a program:
    hooks.py prepare   records some events, so that questions have answers
    hooks.py look      fails unless every operation of the document was carried out
"""

import itertools
import json
import os
import re
import sys
import urllib.error
import urllib.request

NUMBERS = itertools.count(1)
CHANNEL = "x-splunk-request-channel"


def ask(method, path, body=None):
    url, token = os.environ["INTEROP_URL"], os.environ["INTEROP_TOKEN"]
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    request = urllib.request.Request(url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")
    return json.loads(text) if text.startswith(("{", "[")) else text


def new_event():
    name = f"event-{next(NUMBERS)}"
    event = {"type": "auth.login", "source_id": name, "status": "failed", "actor": {"id": "alice", "ip": "203.0.113.7"}}
    event["llm"] = {"model": "gpt-4o", "cost": "0.01", "tokens_total": 7}
    ask("POST", "/v1/events?wait=proved", event)
    return name


def trail():
    return {"eventID": f"trail-{next(NUMBERS)}", "eventTime": "2026-01-01T00:00:00Z", "eventName": "ConsoleLogin",
            "eventSource": "signin.amazonaws.com", "userIdentity": {"type": "IAMUser", "userName": "alice"}}


def new_key():
    body = {"name": "key", "organisation": "*", "role": "writer"}
    return ask("POST", "/v1/keys", body)["key"]["key_id"]


def new_user():
    name = f"user-{next(NUMBERS)}"
    return ask("POST", "/v1/users", {"id": name, "name": "User"})["id"]


def new_user_with_a_role():
    user = new_user()
    ask("POST", f"/v1/users/{user}/roles", {"organisation": "*", "role": "viewer"})
    return user


def new_organisation():
    name = f"organisation-{next(NUMBERS)}"
    return ask("POST", "/v1/organisations", {"id": name, "name": "Organisation"})["id"]


def new_view():
    return ask("POST", "/v1/views", {"name": "view", "filter": "status:failed"})["id"]


def new_entry():
    ask("POST", "/v1/events", [{"type": "auth.login"}, {"type": 7}])
    return ask("GET", "/v1/quarantine?limit=1")["entries"][0]["id"]


# For each operation that is about one thing: how to have such a thing.
NEW = {
    "getEvent": new_event,
    "getProof": new_event,
    "getQuarantined": new_entry,
    "resendQuarantined": new_entry,
    "discardQuarantined": new_entry,
    "rotateKey": new_key,
    "revokeKey": new_key,
    "updateUser": new_user,
    "deleteUser": new_user,
    "grantRole": new_user,
    "revokeRole": new_user_with_a_role,
    "renameOrganisation": new_organisation,
    "deleteOrganisation": new_organisation,
    "deleteView": new_view,
}


def good(operation, case):
    """Makes a request one that can be carried out, as far as a schema does not say what is there."""
    if operation in NEW:
        case.path_parameters["id"] = NEW[operation]()
    if operation == "recordMapped":
        case.path_parameters["id"], case.body = "cloudtrail", {"Records": [trail()]}
    if operation == "hecAcks":
        # The header is the same, and may be there twice otherwise.
        case.query["channel"], case.body = "0a1f6a52-7c3e-4f0e-9d61-3c1b5a7d9e10", {"acks": [0]}
        case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() != CHANNEL}
    if operation == "createKey" and isinstance(case.body, dict):
        case.body.update(organisation="*", role="writer", scopes=None, user=None, expires=None, ip_allow=None)
    if operation == "createOrganisation" and isinstance(case.body, dict):
        case.body["id"] = f"organisation-{next(NUMBERS)}"
    if operation == "createUser" and isinstance(case.body, dict):
        case.body["id"] = f"user-{next(NUMBERS)}"
    if operation in ("saveView", "grantRole") and isinstance(case.body, dict):
        case.body.pop("id", None)
    if operation == "grantRole" and isinstance(case.body, dict):
        case.body["organisation"] = "*"
    if operation == "revokeRole":
        case.query.update(organisation="*", role="viewer")
    if operation == "rankValues":
        case.query["group"] = "actor.id"
    for name in ("organisation", "q", "cursor", "at", "from", "to"):
        if operation != "revokeRole" and name in case.query:
            del case.query[name]


if "INTEROP_CALLS" in os.environ:
    import schemathesis

    CALLS = itertools.count()

    @schemathesis.hook
    def before_call(context, case, kwargs):
        operation = case.operation.definition.raw["operationId"]
        if operation == "followEvents" and case.query.get("follow") in (None, True, "true"):
            case.query["follow"] = "false"
        # Every third request can be carried out; the others are as they were made up.
        if next(CALLS) % 3 == 0:
            good(operation, case)
        # Not the key with which everything is asked.
        elif case.path_parameters.get("id") == "bootstrap":
            case.path_parameters["id"] = "nobody"


def prepare():
    for _ in range(20):
        new_event()
    new_entry()


def look():
    document, metrics = ask("GET", "/openapi.json"), ask("GET", "/metrics")
    statuses = {}
    for line in metrics.splitlines():
        found = re.match(r'indelible_http_requests_total\{method="(.*?)",route="(.*?)",status="(.*?)"\} (\d+)', line)
        if found and found[4] != "0":
            statuses.setdefault((found[1].lower(), found[2]), {})[found[3]] = int(found[4])
    wrong = []
    for path, operations in document["paths"].items():
        for method in operations:
            seen = statuses.get((method, path), {})
            if path.startswith("/opentelemetry."):
                # It does not speak gRPC; whether it breaks anything was seen all the same.
                continue
            if "501" in operations[method].get("responses", {}):
                # What is documented as not being there yet says so, and that is all.
                continue
            print(f"{method.upper():6} {path:32} {seen}")
            if not seen.get("2xx") and not seen.get("3xx"):
                wrong.append(f"{method.upper()} {path} was never carried out: {seen}")
            if seen.get("5xx"):
                wrong.append(f"{method.upper()} {path} failed {seen['5xx']} times")
    asked = sum(number for seen in statuses.values() for number in seen.values())
    print(f"{asked} requests of {sum(len(path) for path in document['paths'].values())} operations")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    {"prepare": prepare, "look": look}[sys.argv[1]]()
