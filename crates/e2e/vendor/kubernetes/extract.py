"""Takes the schemas of the kinds in deploy/ out of PyPI's kubernetes-validate, without descriptions.

    pip install kubernetes-validate==1.37.0
    python extract.py
"""

import json
from pathlib import Path

import kubernetes_validate

VERSIONS = ["1.30.0", "1.37.0"]
KINDS = [
    "io.k8s.api.apps.v1.Deployment",
    "io.k8s.api.apps.v1.StatefulSet",
    "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
    "io.k8s.api.core.v1.ConfigMap",
    "io.k8s.api.core.v1.Namespace",
    "io.k8s.api.core.v1.Service",
    "io.k8s.api.networking.v1.NetworkPolicy",
    "io.k8s.api.policy.v1.PodDisruptionBudget",
]


def stripped(schema):
    if isinstance(schema, dict):
        return {
            key: stripped(value)
            for key, value in schema.items()
            # A property may be called `description` as well.
            if not (key == "description" and isinstance(value, str))
        }
    if isinstance(schema, list):
        return [stripped(value) for value in schema]
    return schema


def references(schema):
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.rsplit("/", 1)[-1]
            else:
                yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def main():
    source = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    for version in VERSIONS:
        definitions = json.loads((source / f"v{version}-local-strict" / "_definitions.json").read_text())["$defs"]
        found, wanted = {}, list(KINDS)
        while wanted:
            name = wanted.pop()
            if name not in found:
                found[name] = stripped(definitions[name])
                wanted.extend(references(found[name]))
        lines = (f"{json.dumps(name)}:{json.dumps(found[name], separators=(',', ':'))}" for name in sorted(found))
        target = Path(__file__).parent / f"v{version}.json"
        target.write_text('{"$defs":{\n' + ",\n".join(lines) + "\n}}\n")


main()
