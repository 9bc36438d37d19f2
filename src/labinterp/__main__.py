"""`labinterp` and `python -m labinterp`."""

from __future__ import annotations

import sys  # nothing that takes time: Ctrl-C is told as such from `main` on


def main() -> None:
    """Start the command line, or say in one line which extra it needs."""
    try:
        import signal

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
    finally:  # what was to be done is done, or told: Ctrl-C while Python closes down would make a whole output look broken off
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
