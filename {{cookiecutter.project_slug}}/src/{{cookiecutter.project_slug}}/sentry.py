"""Reports of bugs to Sentry, where one is configured."""

from .settings import Settings, SettingsError


def report_to_sentry(settings: Settings) -> None:
    """Report what isn't handled from now on, where SENTRY_DSN says where to. Raises SettingsError."""
    if settings.sentry_dsn is None:
        return
    try:
        import sentry_sdk
    except ImportError:
        raise SettingsError("SENTRY_DSN is set, but sentry-sdk is not installed: `uv sync --extra sentry`") from None
    try:
        sentry_sdk.init(dsn=settings.sentry_dsn.get_secret_value())
    except sentry_sdk.utils.BadDsn as error:
        raise SettingsError(f"SENTRY_DSN is no address of Sentry's: {error}") from None
