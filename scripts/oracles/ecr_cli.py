"""Runs commands of the AWS CLI's `ecr` in one process, and checks every answer against the service model.

    ecr_cli.py COMMANDS.json

The file has a list of lists of arguments, for example [["list-images", "--repository-name", "a"]]. The output is a
list too: for each command its exit status, its output, and the places where the answer violates the model. The
CLI checks requests itself but not answers, so this script checks these: members that the model doesn't have,
missing required ones, types, lengths, patterns and enumerations.
"""

import contextlib
import io
import json
import re
import sys

import awscli.clidriver


def check(value, shape, path, found):
    """Adds the violations in a value to `found`."""
    bounds = shape.metadata

    def between(size, what):
        if size < bounds.get("min", size) or size > bounds.get("max", size):
            found.append(f"{path}: {what} {size} is not in {bounds}")

    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            return found.append(f"{path}: not an object")
        for name in set(value) - set(shape.members):
            found.append(f"{path}.{name}: not in the model")
        for name in shape.required_members:
            if name not in value:
                found.append(f"{path}.{name}: missing")
        for name, member in shape.members.items():
            if name in value:
                check(value[name], member, f"{path}.{name}", found)
    elif kind == "list":
        if not isinstance(value, list):
            return found.append(f"{path}: not a list")
        between(len(value), "count")
        for index, element in enumerate(value):
            check(element, shape.member, f"{path}[{index}]", found)
    elif kind == "map":
        for name, element in value.items():
            check(element, shape.value, f"{path}.{name}", found)
    elif kind == "string":
        if not isinstance(value, str):
            return found.append(f"{path}: not a string")
        between(len(value), "length")
        if shape.enum and value not in shape.enum:
            found.append(f"{path}: '{value}' is none of {shape.enum}")
        if "pattern" in bounds and not re.fullmatch(bounds["pattern"], value):
            found.append(f"{path}: '{value}' is not {bounds['pattern']}")
    elif kind == "boolean":
        if not isinstance(value, bool):
            found.append(f"{path}: not a boolean")
    elif kind in ("integer", "long"):
        if isinstance(value, bool) or not isinstance(value, int):
            return found.append(f"{path}: not an integer")
        between(value, "value")
    elif kind in ("timestamp", "double", "float"):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            found.append(f"{path}: not a number")
    return found


def run(arguments):
    problems = []

    def after_call(http_response, model, **_):
        if http_response.status_code != 200:
            return
        answer = json.loads(http_response.content or b"{}")
        if model.output_shape:
            check(answer, model.output_shape, model.name, problems)

    driver = awscli.clidriver.create_clidriver()
    driver.session.register("after-call.ecr", after_call)
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            status = driver.main(["--output", "text", "ecr"] + arguments)
        except SystemExit as end:
            status = end.code
    return {"status": status, "output": output.getvalue(), "errors": errors.getvalue(), "problems": problems}


with open(sys.argv[1]) as file:
    json.dump([run(arguments) for arguments in json.load(file)], sys.stdout)
