"""Protocol buffers' text format, for TF Serving's configuration files whose message classes no Python package ships.

Read against a schema: a dict that names each field and its type. Field names that the schema lacks are errors, as in
protobuf's own parser. Grammar: https://protobuf.dev/reference/protobuf/textformat-spec/ (extensions, Any expansion and
groups are left out: none of these files uses them).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]  # name -> "string" | "int" | "bool" | Schema; "repeated ..." as a tuple of one element

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f\v]+|\#[^\n]*)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+))(?![A-Za-z0-9_.])
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<mark>[{}<>\[\]:,;])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(?:([abfnrtv?\\'\"])|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.|$))", re.DOTALL)
_PLAIN = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11, b"?": 63, b"\\": 92, b"'": 39, b'"': 34}
_TRUE, _FALSE = ("true", "True", "t", "1"), ("false", "False", "f", "0")
_MAX_DEPTH, _LONGEST_NUMBER = 32, 40


class TextFormatError(ValueError):
    """Text that does not fit the schema; the message names the line."""


def parse_text(text: str, schema: Schema) -> dict[str, Any]:
    """Reads one message.

    Args:
        text: the file's content.
        schema: the message's fields: "string", "int", "bool" or a nested schema; a tuple of one for a repeated field.

    Returns:
        The fields that the text sets, by name: str, int, bool, dict, or a list of these for a repeated field.

    Raises:
        TextFormatError: unknown or doubled field, wrong type, or broken syntax.
    """
    return _Parser(text).message(schema, "", 0)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str, int]] = []  # kind, text, line
        position, line = 0, 1
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise TextFormatError(f"line {line}: {text[position : position + 10]!r} is not understood")
            kind, value = str(found.lastgroup), found.group()
            if kind != "space":
                self._tokens.append((kind, value, line))
            line += value.count("\n")
            position = found.end()
        self._tokens.append(("end", "the end", line))
        self._next = 0

    def message(self, schema: Schema, end: str, depth: int) -> dict[str, Any]:
        if depth > _MAX_DEPTH:
            raise self._error("nested too deeply")
        found: dict[str, Any] = {}
        while not self._skip(end):
            kind, name, _ = self._peek()
            if kind != "name":
                raise self._error("a field name is expected")
            if name not in schema:
                raise self._error(f"there is no field {name!r} here (known: {', '.join(sorted(schema))})")
            self._next += 1
            field = schema[name]
            colon = self._skip(":")
            if isinstance(field, tuple):
                found.setdefault(name, []).extend(self._values(field[0], colon, depth))
            elif name in found:
                self._next -= 1
                raise self._error(f"the field {name!r} is set twice")
            else:
                found[name] = self._value(field, colon, depth)
            if not self._skip(","):
                self._skip(";")
        return found

    def _values(self, field: Any, colon: bool, depth: int) -> list[Any]:
        if not self._skip("["):
            return [self._value(field, colon, depth)]
        values: list[Any] = []
        if self._skip("]"):
            return values
        while True:
            values.append(self._value(field, True, depth))
            if self._skip("]"):
                return values
            if not self._skip(","):
                raise self._error("',' or ']' is expected")

    def _value(self, field: Any, colon: bool, depth: int) -> Any:
        if not isinstance(field, str):
            for opening, closing in ("{}", "<>"):
                if self._skip(opening):
                    return self.message(field, closing, depth + 1)
            raise self._error("'{' is expected")
        if not colon:
            raise self._error("':' is expected")
        kind, value, _ = self._peek()
        if field == "string" and kind == "string":
            return self._string()
        if field == "int" and kind == "number":
            if len(value) > _LONGEST_NUMBER:
                raise self._error("the number is too large")
            self._next += 1
            return _integer(value)
        if field == "bool" and value in _TRUE + _FALSE and kind in ("name", "number"):
            self._next += 1
            return value in _TRUE
        wanted = {"string": "a quoted text", "int": "a whole number", "bool": "true or false"}[field]
        raise self._error(f"{wanted} is expected")

    def _string(self) -> str:
        parts = b""
        while self._peek()[0] == "string":  # neighbouring strings are one, as in C
            parts += _ESCAPE.sub(self._unescaped, self._peek()[1][1:-1].encode("utf-8"))
            self._next += 1
        try:
            return parts.decode("utf-8")
        except UnicodeDecodeError:
            self._next -= 1
            raise self._error("the text is not UTF-8") from None

    def _unescaped(self, match: re.Match[bytes]) -> bytes:
        plain, hexadecimal, octal, wrong = match.groups()
        if plain is not None:
            return bytes([_PLAIN[plain]])
        if wrong is not None:
            raise self._error("an escape is not understood")
        number = int(hexadecimal, 16) if hexadecimal else int(octal, 8)
        if number > 255:
            raise self._error("an escape is above one byte")
        return bytes([number])

    def _peek(self) -> tuple[str, str, int]:
        return self._tokens[self._next]

    def _skip(self, mark: str) -> bool:
        kind, value, _ = self._peek()
        if kind == "end":
            if mark == "":
                return True
            if mark in ("}", ">"):
                raise self._error(f"{mark!r} is expected")
            return False
        if mark == "" or kind != "mark" or value != mark:
            return False
        self._next += 1
        return True

    def _error(self, problem: str) -> TextFormatError:
        _, value, line = self._peek()
        return TextFormatError(f"line {line}, at {value[:20]!r}: {problem}")


def _integer(text: str) -> int:
    sign, digits = (-1 if text[0] == "-" else 1), text.lstrip("+-")
    if digits[:2] in ("0x", "0X"):
        return sign * int(digits, 16)
    if len(digits) > 1 and digits[0] == "0" and not set(digits) - set("01234567"):
        return sign * int(digits, 8)
    return sign * int(digits)
