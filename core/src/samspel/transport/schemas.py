"""Write the JSON Schemas of all messages: `python -m samspel.transport.schemas docs/schemas`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from samspel.transport.wire import schemas

__all__ = ["schema_texts", "write_schemas"]


def schema_texts() -> dict[str, str]:
    """File name to content, as it is checked in."""
    return {f"{name}.schema.json": json.dumps(schema, indent=2) + "\n" for name, schema in schemas().items()}


def write_schemas(folder: Path) -> None:
    """Write one file a message into `folder`, which is made when it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schema_texts().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/schemas"))
