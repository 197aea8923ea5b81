"""The command line: `python -m {{ cookiecutter.project_slug }}`, or the installed program."""

from .foundation.command_line import run
from .service import make_application
from .settings import Settings


def main() -> None:
    run("{{ cookiecutter.project_slug }}", make_application, Settings)


if __name__ == "__main__":
    main()
