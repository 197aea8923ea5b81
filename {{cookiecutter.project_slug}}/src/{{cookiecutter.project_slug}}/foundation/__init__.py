"""The foundation of the service: everything that is the same in every service.

Write a service against these names; nothing else in here needs to be read.

- `foundation.web`: `Application`, `Handler`, `operation`, `operation_of`, `document`, `RequestBody`, `Id`,
  `parse_id`, `parse_argument`, `query_argument`, `MetricsHandler`
- `foundation.database`: `Model`, `MixedIdModel`, `Database`, `make_database`, `compiled`, `PoolTimeout`
- `foundation.settings`: `ServiceSettings`, `SettingsError`, `Port`, `ListenPort`, `Seconds`, `Timeout`
- `foundation.command_line`: `run`
- `foundation.migrations`: `difference`, `migrate`, `status`
- `foundation.testing`: `Service`, `MakeApplication`, and the fixtures of the tests

The foundation imports nothing of the service: what it needs is handed to `Application` and `run`.
"""
