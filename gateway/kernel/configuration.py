"""Where settings come from, known without loading what reads them: a command that needs none starts sooner."""

import os
from pathlib import Path

PREFIX = "GATEWAY_"
#: Names the configuration file.
CONFIG_VARIABLE = "GATEWAY_CONFIG"
#: The configuration file when no variable names one, looked for in the working directory.
CONFIG_FILE = "gateway.toml"


def is_configured() -> bool:
    """Whether this installation sets anything, rightly or wrongly; every setting has its default otherwise."""
    return any(name.upper().startswith(PREFIX) for name in os.environ) or Path(CONFIG_FILE).is_file()
