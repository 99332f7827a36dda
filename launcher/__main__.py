"""`python -m launcher`, and the command `miniapp`."""

from __future__ import annotations

import gc

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process, and end it."""
    gc.disable()  # of what is imported nothing is garbage, and looking for it takes as long as help itself
    from launcher.cli import main as run

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
