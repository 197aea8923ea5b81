"""The files that a bake has to write: always, and by the answers to `ci` and `deploy`."""

from .checking import AS_IT_CAME

SERVICE_FILES = """
    __init__.py __main__.py handlers.py models.py py.typed seeding.py service.py settings.py
    migrations/0001_create_testnamemodel.sql
"""
FOUNDATION_FILES = """
    __init__.py command_line.py http_server.py listener.py logs.py reloading.py server.py settings.py streams.py
    testing.py
    database/__init__.py database/compiled.py database/configuration.py database/database.py database/driver.py
    database/errors.py database/hosts.py database/liveness.py database/mixed_ids.py database/model.py
    database/session_state.py
    database/ownership.py database/pool.py
    embedded/__init__.py embedded/keeper.py
    migrations/__init__.py migrations/conversions.py migrations/difference.py migrations/errors.py
    migrations/execution.py migrations/files.py migrations/history.py migrations/models.py
    migrations/scratch.py migrations/statements.py migrations/tables.py migrations/transaction_control.py
    web/__init__.py web/application.py web/background.py web/forms.py web/handler.py web/headers.py web/health.py
    web/incoming.py web/iso8601.py web/metrics.py web/problems.py web/proxies.py web/refusals.py
    web/requests_in_flight.py web/validation.py web/websockets.py
    web/openapi/__init__.py web/openapi/document.py web/openapi/operations.py web/openapi/pages.py
    web/openapi/schemas.py web/openapi/docs/index.html web/openapi/docs/docs.css web/openapi/docs/docs.js
"""
SWAGGER_UI_FILES = """
    LICENSE NOTICE README.md swagger-ui.css swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt
"""
TEST_FILES = "__init__ conftest test_bad_input test_create test_rows test_seeding test_service"
FOUNDATION_TEST_FILES = """
    __init__ conftest example relay support test_answers test_background test_cancellation test_command_line
    test_compiled test_connecting test_conversions test_database_errors test_descriptors test_differences
    test_embedded test_forms test_health test_hostile_requests test_http test_imports test_lifespan test_logs
    test_lost_database test_metrics test_migrations test_mixed_ids test_openapi test_other_targets test_peewee_async
    test_pool test_problems test_proxies test_read_only test_security test_session_state test_settings test_shutdown
    test_streaming test_streams test_tasks test_testing test_transactions test_validation
"""
DOCS = "configuration database foundation on-call operations scaling tutorial"
ALWAYS = {
    *(".editorconfig", ".env.example", ".gitignore", ".pre-commit-config.yaml"),
    *("LICENSE", "Makefile", "README.md", "pyproject.toml"),
    *(f"docs/{name}.md" for name in DOCS.split()),
    *(f"src/name_service/{name}" for name in SERVICE_FILES.split()),
    *(f"src/name_service/foundation/{name}" for name in FOUNDATION_FILES.split()),
    *(f"src/name_service/{AS_IT_CAME}/{name}" for name in SWAGGER_UI_FILES.split()),
    *(f"tests/{name}.py" for name in TEST_FILES.split()),
    *(f"tests/foundation/{name}.py" for name in FOUNDATION_TEST_FILES.split()),
    "tests/foundation/migrations/0001_create_item.sql",
}
KUBERNETES_FILES = """
    base/autoscaler.yaml base/deployment.yaml base/disruption-budget.yaml base/kustomization.yaml
    base/network-policy.yaml base/service.yaml cloudnative-pg/database.yaml cloudnative-pg/kustomization.yaml
    service-monitor/kustomization.yaml service-monitor/service-monitor.yaml
"""
OF_CI = {
    "github": {".github/dependabot.yml", ".github/workflows/ci.yml"},
    "gitlab": {".gitlab-ci.yml", "renovate.json"},
    "none": set[str](),
}
IMAGE = {".dockerignore", "Dockerfile"}
OF_DEPLOY = {
    "compose": {*IMAGE, "compose.yaml"},
    "kubernetes": {*IMAGE, *(f"kubernetes/{name}" for name in KUBERNETES_FILES.split())},
    "none": set[str](),
}
