#!/usr/bin/env python3
"""Writes docs/api.md from the OpenAPI document on standard input.

Every operation gets an example of what is sent and of what comes back. One that cannot be made is an error: a text
without an example of its own means that a field of the code lacks one.
"""

import json
import sys
from urllib.parse import quote

METHODS = ("get", "post", "put", "patch", "delete")

INTRO = """\
# API reference

Generated from the code by `make docs`; a test fails when it is out of date. The same as OpenAPI 3.1 is at
`/api/openapi.json`, to try out at `/docs`.

- Bodies are JSON in camelCase, unknown fields are refused. Amounts are paise, times are UTC (RFC 3339).
- **Who**: public · member (logged in) · owner · staff · moderator · admin · super_admin. All but public send
  `Authorization: Bearer <accessToken>`. *Step-up* wants a code of the authenticator within the last five minutes
  (`POST /api/auth/step-up`). Somebody else's thing answers 404, like one that does not exist.
- Lists take `limit` (1 to 100) and either `page` or `cursor`. `page` opts into the total; `cursor` is the
  `nextCursor` of the page before.
- Reads by id carry an `ETag`: `If-None-Match` answers 304, `If-Match` on an edit answers 412 when somebody else was
  first.
- Where `Idempotency-Key` is taken, the same key and body give the first answer again (`Idempotent-Replayed: true`) for
  a day; another body under the key is 422.
- Every failure is a problem (RFC 9457, `application/problem+json`) with a stable `code`. 429 and 503 carry
  `Retry-After`. Any operation may answer 429 and 503; those statuses are left out below.
"""

# What any operation may answer; said once above.
EVERYWHERE = {"429", "503"}

# Values for formats that explain themselves.
FORMATS = {
    "uuid": "019300f0-7c41-7d0b-9b7e-5d2f1c0a9e11",
    "date-time": "2026-03-02T06:00:00Z",
    "date": "2026-03-02",
    "uri": "https://example.in/",
    "email": "asha@example.in",
}


class NoExample(Exception):
    """A schema from which no example can be made."""


class Document:
    """An OpenAPI document whose references can be followed."""

    def __init__(self, document):
        self.document = document

    def resolved(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for part in node["$ref"].lstrip("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def operations(self):
        """(tag, path, method, operation) in the document's order."""
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    operation = item[method]
                    yield (operation.get("tags") or ["other"])[0], path, method, operation

    def example(self, schema, where, seen=()):
        """A value of the schema; `where` names it in an error."""
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if reference in seen:
            return None
        seen = seen + (reference,) if reference else seen
        schema = self.resolved(schema)
        if schema is True or schema == {}:
            raise NoExample(f"{where}: anything goes, so it needs an example")
        given = declared(schema)
        if given is not None:
            return in_order(given[0], schema)
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                choices = [one for one in schema[keyword] if one.get("type") != "null"]
                return self.example(choices[0], where, seen) if choices else None
        if "allOf" in schema:
            merged = {}
            for part in schema["allOf"]:
                merged.update(self.example(part, where, seen))
            return merged
        return self.of_type(schema, where, seen)

    def of_type(self, schema, where, seen):
        kinds = schema.get("type")
        kind = next((one for one in kinds if one != "null"), "null") if isinstance(kinds, list) else kinds
        if kind == "object" or "properties" in schema:
            properties = schema.get("properties", {})
            value = dict(self.members(schema, where, seen))
            extra = schema.get("additionalProperties")
            if not properties and extra not in (None, False):
                raise NoExample(f"{where}: an object of free keys needs an example")
            return value
        if kind == "array":
            item = self.example(schema.get("items", {}), f"{where}[]", seen)
            return [] if item is None else [item]
        if kind == "boolean":
            return True
        if kind in ("integer", "number"):
            return schema.get("minimum", min(1, schema.get("maximum", 1)))
        if kind == "null":
            return None
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        raise NoExample(f"{where}: a text needs an example")

    def members(self, schema, where, seen):
        """Names and values of an object. An optional text without an example is left out, as clients may."""
        required = schema.get("required", [])
        most = schema.get("maxProperties", len(schema.get("properties", {})))
        for name, inner in schema.get("properties", {}).items():
            if most == 0:
                return
            try:
                value = self.example(inner, f"{where}.{name}", seen)
            except NoExample:
                if name in required:
                    raise
                continue
            most -= 1
            yield name, value


def declared(schema):
    """The example that the schema itself gives, in a list of one; None when it gives none."""
    if "example" in schema:
        return [schema["example"]]
    if schema.get("examples"):
        return [schema["examples"][0]]
    if "const" in schema:
        return [schema["const"]]
    if schema.get("enum"):
        return [schema["enum"][0]]
    # "Nothing" and "none of them" would not show what a field is like.
    if schema.get("default") not in (None, [], {}):
        return [schema["default"]]
    return None


def in_order(value, schema):
    """An object's members in the order in which the schema tells them."""
    properties = schema.get("properties", {})
    if not isinstance(value, dict) or not properties:
        return value
    return dict(sorted(value.items(), key=lambda member: list(properties).index(member[0])))


def content_example(document, content, where):
    """The example of a body by its media type: (media type, text)."""
    media_type, body = next(iter(content.items()))
    if "example" in body:
        value = body["example"]
    elif body.get("examples"):
        value = document.resolved(next(iter(body["examples"].values())))["value"]
    elif media_type.startswith(("image/", "application/octet-stream")):
        return media_type, None
    elif media_type.startswith("text/"):
        value = (declared(document.resolved(body.get("schema", {}))) or [None])[0]
        if value is None:
            raise NoExample(f"{where}: a text needs an example")
    elif media_type == "multipart/form-data":
        fields = document.resolved(body["schema"]).get("properties", {})
        return media_type, "\n".join(f"-F '{name}=@photo.jpg;type=image/jpeg'" for name in fields)
    else:
        value = document.example(body.get("schema", {}), where)
    return media_type, value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def who(operation):
    authority = operation.get("x-authority", "member" if operation.get("security") else "public")
    return f"{authority}, step-up" if operation.get("x-step-up") else authority


def parameter_rows(document, operation, where):
    for parameter in map(document.resolved, operation.get("parameters", [])):
        schema = document.resolved(parameter.get("schema", {}))
        name = f"`{parameter['name']}`" + ("" if parameter.get("required") else " *(optional)*")
        about = " ".join(parameter.get("description", "").split()).replace("|", "\\|")
        limits = bounds(document, schema)
        yield f"| {name} | {parameter['in']} | {about}{' ' + limits if limits else ''} |"


def bounds(document, schema):
    """What a parameter takes, in a few words."""
    for keyword in ("oneOf", "anyOf"):
        for choice in schema.get(keyword, []):
            if choice.get("type") != "null":
                return bounds(document, document.resolved(choice))
    if schema.get("enum"):
        return "(" + " · ".join(f"`{one}`" for one in schema["enum"] if one is not None) + ")"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"({low} to {high})"
    if schema.get("format") == "uuid":
        return "(UUID)"
    return ""


def request_path(document, path, operation):
    """The path with an example's values in the place of its required parameters."""
    query = []
    for parameter in map(document.resolved, operation.get("parameters", [])):
        if not parameter.get("required"):
            continue
        schema = parameter.get("schema", {})
        value = parameter["example"] if "example" in parameter else document.example(schema, parameter["name"])
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", quote(str(value)))
        elif parameter["in"] == "query":
            query.append(f"{parameter['name']}={quote(str(value))}")
    return path + ("?" + "&".join(query) if query else "")


def write_operation(out, document, path, method, operation):
    where = f"{method.upper()} {path}"
    out.append(f"### {where}\n")
    told = [" ".join(operation.get("summary", "").split()), operation.get("description", "").strip()]
    # The summary is the description's first line where a comment has one only.
    told = told[1:] if told[1].startswith(told[0]) else told
    out.append("\n\n".join(text for text in told if text) + "\n")
    out.append(f"**Who**: {who(operation)}\n")
    rows = list(parameter_rows(document, operation, where))
    if rows:
        out += ["| parameter | in | |", "| --- | --- | --- |", *rows, ""]
    request = [f"{method.upper()} {request_path(document, path, operation)}"]
    if operation.get("security"):
        request.append("Authorization: Bearer <accessToken>")
    if operation.get("requestBody"):
        body = document.resolved(operation["requestBody"])
        media_type, text = content_example(document, body["content"], f"{where} request")
        request += [f"Content-Type: {media_type}", "", text]
    out += ["```http", *request, "```", ""]
    write_responses(out, document, operation, where)


def write_responses(out, document, operation, where):
    problems, succeeded = [], False
    for status, response in sorted(operation["responses"].items()):
        response = document.resolved(response)
        about = " ".join(response.get("description", "").split())
        if not status.startswith("2"):
            if status not in EVERYWHERE:
                problems.append(f"{status} {about[:1].lower() + about[1:]}".rstrip())
            continue
        succeeded = True
        out.append(f"**{status}** {about}".rstrip() + "\n")
        if response.get("content"):
            media_type, text = content_example(document, response["content"], f"{where} {status}")
            if text is None:
                out.append(f"The body is a file ({media_type}).\n")
            else:
                out += ["```json" if "json" in media_type else "```text", text, "```", ""]
    if not succeeded:
        raise NoExample(f"{where}: no success is described")
    if problems:
        out.append("Otherwise: " + " · ".join(problems) + "\n")


def anchor(heading):
    kept = [c for c in heading.lower() if c.isalnum() or c in " -_"]
    return "".join(kept).replace(" ", "-")


def render(raw):
    document = Document(raw)
    tags = {}
    for tag, path, method, operation in document.operations():
        tags.setdefault(tag, []).append((path, method, operation))
    out, faults = [INTRO], []
    for tag, operations in tags.items():
        listed = [f"[{m.upper()} {p}](#{anchor(f'{m.upper()} {p}')})" for p, m, _ in operations]
        out.append(f"- **[{tag}](#{anchor(tag)})**: " + ", ".join(listed))
    out.append("")
    for tag, operations in tags.items():
        out.append(f"## {tag}\n")
        for path, method, operation in operations:
            try:
                write_operation(out, document, path, method, operation)
            except NoExample as fault:
                faults.append(str(fault))
    out += ["## A problem\n", "```json", problem(document), "```", ""]
    return "\n".join(out), faults


def problem(document):
    example = document.example({"$ref": "#/components/schemas/Problem"}, "Problem")
    return json.dumps(example, indent=2, ensure_ascii=False)


def main():
    text, faults = render(json.load(sys.stdin))
    for fault in faults:
        print(f"no example: {fault}", file=sys.stderr)
    if faults:
        return 1
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
