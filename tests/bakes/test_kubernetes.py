"""kustomize makes resources that are valid, hold together, and fit the code."""

import functools
import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from harness.baked import Bake, Project
from harness.checking import BIN
from harness.choices import NAMES
from harness.dockerfile import final_stage
from harness.facts import facts, refused_commands

CONNECTIONS = 97  # PostgreSQL's max_connections less superuser_reserved_connections, by default
CUSTOM_RESOURCES = {"Cluster", "Pooler", "ServiceMonitor"}  # kubernetes-validate has no schema of them


@pytest.fixture(scope="module", params=[{}, NAMES["longest names"]], ids=["default names", "longest names"])
def orchestrated(bake: Bake, request: pytest.FixtureRequest) -> Project:
    return bake(deploy="kubernetes", **request.param)


Resources = dict[str, dict[str, Any]]  # by kind


@functools.cache
def rendered(project: Project, folder: str) -> Resources:
    """Return what kustomize makes of the folder."""
    printed = project.run(BIN / "kubectl", "kustomize", f"kubernetes/{folder}")
    return {resource["kind"]: resource for resource in yaml.safe_load_all(printed)}


@pytest.fixture(params=["base", "cloudnative-pg", "monitored"])
def resources(orchestrated: Project, request: pytest.FixtureRequest) -> Resources:
    monitored = orchestrated.path / "kubernetes" / "monitored"
    monitored.mkdir(exist_ok=True)
    (monitored / "kustomization.yaml").write_text("resources: [../base]\ncomponents: [../service-monitor]\n")
    return rendered(orchestrated, request.param)


def pod_of(resources: Resources) -> dict[str, Any]:
    pod: dict[str, Any] = resources["Deployment"]["spec"]["template"]["spec"]
    return pod


def containers_of(resources: Resources) -> list[dict[str, Any]]:
    pod = pod_of(resources)
    return [*pod["initContainers"], *pod["containers"]]


def variables_of(resources: Resources) -> dict[str, str]:
    variables: dict[str, str] = resources["ConfigMap"]["data"]
    return variables


def test_resources_are_valid(resources: Resources) -> None:
    for kind, resource in resources.items():
        if kind not in CUSTOM_RESOURCES:
            kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


def test_names_and_ports_hold_together(orchestrated: Project, resources: Resources) -> None:
    deployment, [service] = resources["Deployment"], pod_of(resources)["containers"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selectors = [
        deployment["spec"]["selector"]["matchLabels"],
        resources["Service"]["spec"]["selector"],
        resources["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        resources["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        *(each["labelSelector"]["matchLabels"] for each in pod_of(resources)["topologySpreadConstraints"]),
    ]
    if "ServiceMonitor" in resources:
        selectors.append(resources["ServiceMonitor"]["spec"]["selector"]["matchLabels"])
        assert resources["Service"]["metadata"]["labels"] == labels
        assert resources["ServiceMonitor"]["spec"]["endpoints"] == [{"port": "http"}]  # /metrics unless said otherwise
    assert all(selector == labels for selector in selectors)
    assert resources["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert "replicas" not in deployment["spec"]  # each apply would undo what the autoscaler did
    [port] = service["ports"]
    assert port == {"name": "http", "containerPort": int(final_stage(orchestrated).environment["PORT"])}
    assert port["containerPort"] >= 1024
    assert [each["targetPort"] for each in resources["Service"]["spec"]["ports"]] == ["http"]
    assert resources["NetworkPolicy"]["spec"]["ingress"] == [{"ports": [{"port": "http"}]}]


def test_probes_ask_for_what_there_is(orchestrated: Project, resources: Resources) -> None:
    [service] = pod_of(resources)["containers"]
    asked = {
        name: (service[name]["httpGet"]["path"], service[name]["httpGet"]["port"])
        for name in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert asked == {
        "startupProbe": ("/healthz", "http"),
        "livenessProbe": ("/healthz", "http"),
        "readinessProbe": ("/readyz", "http"),
    }
    assert {path for path, _ in asked.values()} | {"/metrics"} <= facts(orchestrated).paths
    assert service["readinessProbe"]["timeoutSeconds"] > 1  # as long as /readyz waits for the database


def test_containers_wait_for_the_database(resources: Resources) -> None:
    """One that failed is started up to five minutes later, unless the failure before is ten minutes ago."""
    pod = pod_of(resources)
    [service] = pod["containers"]
    for container in (pod["initContainers"][0], service):
        assert waits(container) > 600
    probe = service["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > waits(service)


def waits(container: dict[str, Any]) -> float:
    *_, option, seconds = container["command"]
    assert option == "--wait"
    return float(seconds)


def test_variables_and_secrets_are_settings(orchestrated: Project, resources: Resources) -> None:
    settings = facts(orchestrated).settings
    assert variables_of(resources).keys() <= settings.keys()
    name = resources["ConfigMap"]["metadata"]["name"]
    for container in containers_of(resources):
        assert container["envFrom"] == [{"configMapRef": {"name": name}}]
        assert container["volumeMounts"] == [{"name": "secrets", "mountPath": "/run/secrets", "readOnly": True}]
    assert not refused_commands(orchestrated, *(tuple(container["command"]) for container in containers_of(resources)))
    [volume] = pod_of(resources)["volumes"]
    files = {item["path"] for item in volume["secret"].get("items", [])}
    files |= set(re.findall(r"--from-literal=(\w+)=", orchestrated.read("docs/operations.md")))
    assert files == {"database_url"} | ({"database_user", "database_password"} if "Cluster" in resources else set())
    assert {name.upper() for name in files} <= settings.keys()


def test_pod_may_finish_its_work(orchestrated: Project, resources: Resources) -> None:
    variables = variables_of(resources)
    assert float(variables["SHUTDOWN_DELAY"]) > 0  # endpoints are told meanwhile; a preStop hook would add to it
    assert not [container for container in containers_of(resources) if "lifecycle" in container]
    longest = facts(orchestrated).longest_shutdown(variables)
    assert pod_of(resources)["terminationGracePeriodSeconds"] >= longest


def test_pod_keeps_to_the_restricted_standard(resources: Resources) -> None:
    """And leaves the user's number to the cluster, as OpenShift demands."""
    pod = pod_of(resources)
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    for container in containers_of(resources):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"].keys() == {"memory"}  # a limit of CPU would stop the event loop
        assert re.fullmatch(r"[a-z0-9-]+:0\.1\.0", container["image"])


def test_image_runs_as_a_number_but_not_root(orchestrated: Project) -> None:
    [user] = final_stage(orchestrated).all("USER")
    assert int(user) > 0


def test_replicas_leave_connections(orchestrated: Project) -> None:
    scaler = rendered(orchestrated, "base")["HorizontalPodAutoscaler"]["spec"]
    most = scaler["maxReplicas"] * 5 // 4 + 1  # an update adds a quarter
    assert scaler["minReplicas"] >= 2
    assert most * int(facts(orchestrated).settings["POOL_MAX_SIZE"]) <= CONNECTIONS


def test_network_policy_lets_the_service_reach_its_database(orchestrated: Project) -> None:
    for folder, port in (("base", int(facts(orchestrated).settings["DATABASE_PORT"])), ("cloudnative-pg", 5432)):
        dns, database = rendered(orchestrated, folder)["NetworkPolicy"]["spec"]["egress"]
        assert {(each["protocol"], each["port"]) for each in dns["ports"]} == {("UDP", 53), ("TCP", 53)}
        assert database["ports"] == [{"protocol": "TCP", "port": port}]


def test_service_reaches_its_cluster_through_pgbouncer(orchestrated: Project) -> None:
    resources = rendered(orchestrated, "cloudnative-pg")
    cluster, pooler = resources["Cluster"], resources["Pooler"]
    variables, initdb = variables_of(resources), cluster["spec"]["bootstrap"]["initdb"]
    name = cluster["metadata"]["name"]
    assert pooler["spec"]["cluster"]["name"] == name
    assert len(name) <= 50  # the operator's limit
    assert variables["DATABASE_HOST"] == pooler["metadata"]["name"]
    assert variables["DATABASE_PORT"] == str(5432)
    assert variables["DATABASE_NAME"] == initdb["database"] == facts(orchestrated).settings["DATABASE_NAME"]
    assert pod_of(resources)["volumes"][0]["secret"]["secretName"] == f"{name}-app"  # that the operator writes
    assert pooler["spec"]["pgbouncer"]["poolMode"] == "transaction"
    sizes = pooler["spec"]["instances"] * int(pooler["spec"]["pgbouncer"]["parameters"]["default_pool_size"])
    assert sizes <= CONNECTIONS
    timeout = float(facts(orchestrated).settings["STATEMENT_TIMEOUT"])
    assert initdb["postInitSQL"] == [
        f"ALTER ROLE \"{initdb['owner']}\" SET statement_timeout = '{timeout:.0f}s'",
        f"ALTER ROLE \"{initdb['owner']}\" SET client_connection_check_interval = '1s'",
    ]
