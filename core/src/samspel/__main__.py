"""`python -m samspel` is `samspel`."""

from samspel.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
