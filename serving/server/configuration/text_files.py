"""TF Serving's configuration files, read by protobuf's own parser of its text format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import text_format

from tfrec.errors import ServingError


def read_text_file(path: Path | str, message: Any) -> Any:
    """Reads a file in protobuf's text format.

    Args:
        path: the file.
        message: the empty message that it fills and that is returned.

    Raises:
        ServingError: one sentence that names the file and, for its content, the line.
    """
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise ServingError(f"The file {path} cannot be read ({reason}): check the path.") from error
    except UnicodeDecodeError as error:
        raise ServingError(f"The file {path} is not UTF-8 text: write it in protobuf's text format.") from error
    try:
        return text_format.Parse(text, message)
    except text_format.ParseError as error:
        # "line:column : what stands there: what is wrong"
        problem = " ".join(str(error).partition(" : ")[2].split()).rstrip(".") or str(error)
        line = error.GetLine() or 1
        cause = problem.rpartition(": ")[2]
        if cause.lstrip("-").isdigit():  # protobuf tells of no other numbers
            problem = f"the number is too large, write one that fits into 64 bits ({cause[:60]})"
        raise ServingError(f"The file {path} is not what is expected, line {line}: {problem[-300:]}.") from error
    except (ValueError, RecursionError) as error:  # such as bytes that are no UTF-8
        raise ServingError(f"The file {path} is not what is expected: {str(error)[:300].rstrip('.')}.") from error
