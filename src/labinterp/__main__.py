"""`labinterp` and `python -m labinterp`."""

from __future__ import annotations

import sys


def main() -> None:
    """Start the command line, or say in one line which extra it needs."""
    try:
        try:
            import rich  # noqa: F401
            import typer  # noqa: F401
        except ImportError:
            from labinterp.errors import MissingExtraError

            sys.exit(str(MissingExtraError("cli")))
        from labinterp.cli import app

        app()
    except KeyboardInterrupt:  # while modules are loaded, too
        sys.exit(130)


if __name__ == "__main__":
    main()
