"""The fields of KubeRay's own resources, as JSON schemas that take no other field.

From KubeRay's API reference (docs/reference/api.md of ray-project/kuberay; `authOptions` since 1.5.1). The resource
definition that KubeRay installs repeats Kubernetes' schema of a pod wherever a template stands, a megabyte of it: pods
and claims are validated by Kubernetes' own schemas instead, in `trouble_with`.
"""

from collections.abc import Iterator
from typing import Any

import jsonschema
import kubernetes_validate

KUBERNETES = "1.33"
TEXT, NUMBER, YES_OR_NO, COUNT = {"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "integer"}
TEXTS, ANY = {"type": "object", "additionalProperties": TEXT}, {"type": "object"}


def one_of(*words: str) -> dict[str, Any]:
    """A field that is one of these words."""
    return {"enum": list(words)}


def fields(required: str = "", **properties: dict[str, Any]) -> dict[str, Any]:
    """An object of these fields and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


AUTOSCALER = fields(
    resources=ANY,
    image=TEXT,
    imagePullPolicy=one_of("Always", "Never", "IfNotPresent"),
    securityContext=ANY,
    idleTimeoutSeconds=COUNT,
    upscalingMode=one_of("Default", "Aggressive", "Conservative"),
    version=one_of("v1", "v2"),
    env={"type": "array"},
    envFrom={"type": "array"},
    volumeMounts={"type": "array"},
)
HEAD = fields(
    "template",
    template=ANY,
    headService=ANY,
    enableIngress=YES_OR_NO,
    rayStartParams=TEXTS,
    serviceType=one_of("ClusterIP", "NodePort", "LoadBalancer"),
    resources=TEXTS,
    labels=TEXTS,
)
WORKERS = fields(
    "groupName template minReplicas maxReplicas",
    suspend=YES_OR_NO,
    groupName=TEXT,
    replicas=COUNT,
    minReplicas=COUNT,
    maxReplicas=COUNT,
    idleTimeoutSeconds=COUNT,
    resources=TEXTS,
    labels=TEXTS,
    rayStartParams=TEXTS,
    template=ANY,
    scaleStrategy=ANY,
    numOfHosts=COUNT,
)
CLUSTER = fields(
    "headGroupSpec",
    authOptions=fields(mode=one_of("disabled", "token")),
    suspend=YES_OR_NO,
    managedBy=TEXT,
    autoscalerOptions=AUTOSCALER,
    headServiceAnnotations=TEXTS,
    enableInTreeAutoscaling=YES_OR_NO,
    gcsFaultToleranceOptions=ANY,
    headGroupSpec=HEAD,
    rayVersion=TEXT,
    workerGroupSpecs={"type": "array", "items": WORKERS},
)
JOB = fields(
    activeDeadlineSeconds=COUNT,
    backoffLimit=COUNT,
    rayClusterSpec=CLUSTER,
    submitterPodTemplate=ANY,
    metadata=TEXTS,
    clusterSelector=TEXTS,
    submitterConfig=ANY,
    managedBy=TEXT,
    deletionStrategy=ANY,
    entrypoint=TEXT,
    runtimeEnvYAML=TEXT,
    jobId=TEXT,
    submissionMode=one_of("K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"),
    entrypointResources=TEXT,
    entrypointNumCpus=NUMBER,
    entrypointNumGpus=NUMBER,
    ttlSecondsAfterFinished=COUNT,
    shutdownAfterJobFinishes=YES_OR_NO,
    suspend=YES_OR_NO,
)
SPECS = {"RayCluster": CLUSTER, "RayJob": JOB}


def trouble_with(manifest: dict[str, Any]) -> list[str]:
    """What Kubernetes with KubeRay would not take of a manifest, one line each; empty where it is valid."""
    if manifest["kind"] not in SPECS:
        return _invalid(manifest)
    whole = fields(
        "apiVersion kind metadata spec",
        apiVersion=one_of("ray.io/v1"),
        kind=TEXT,
        metadata=ANY,
        spec=SPECS[manifest["kind"]],
    )
    trouble = [
        f"{error.json_path}: {error.message}" for error in jsonschema.Draft202012Validator(whole).iter_errors(manifest)
    ]
    for template in _templates(manifest["spec"]):
        pods = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "pods"}, "template": template}
        trouble += _invalid(pods)
    return trouble


def _invalid(manifest: dict[str, Any]) -> list[str]:
    try:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{error.json_path}: {error.message}"]
    return []


def _templates(value: Any) -> Iterator[dict[str, Any]]:
    """The pod templates anywhere in a spec."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name in ("template", "submitterPodTemplate"):
                yield part
            else:
                yield from _templates(part)
    elif isinstance(value, list):
        for part in value:
            yield from _templates(part)
