"""The part of TensorFlow's C API that running a SavedModel needs, by ctypes.

Sessions load and run wholly in C++: the interpreter lock is free meanwhile, and a session can be told to run in its
caller's thread, so that the priority of a thread is the priority of its work. (TensorFlow's Python loader builds
functions op by op under the lock, which stops every request of the process for a while.)

Sources: tensorflow/c/c_api.h, tensorflow/c/tf_tensor.h, tensorflow/core/platform/ctstring_internal.h.
"""

from __future__ import annotations

import ctypes
import math
import sys
from ctypes import POINTER, Structure, c_char_p, c_int, c_int64, c_size_t, c_void_p
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

STRING = 7
_STRING_BYTES = 24  # sizeof(TF_TString)
_SMALL, _LARGE, _OFFSET, _VIEW = range(4)  # kinds of a TF_TString, in the lowest two bits
DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype(np.float32), 2: np.dtype(np.float64), 3: np.dtype(np.int32), 4: np.dtype(np.uint8),
    5: np.dtype(np.int16), 6: np.dtype(np.int8), 9: np.dtype(np.int64), 10: np.dtype(np.bool_),
    17: np.dtype(np.uint16), 19: np.dtype(np.float16), 22: np.dtype(np.uint32), 23: np.dtype(np.uint64),
}  # fmt: skip


class Output(Structure):
    """TF_Output: one output of one operation."""

    _fields_ = [("operation", c_void_p), ("index", c_int)]


class CApiError(Exception):
    """A call ended with a status that is not OK.

    Attributes:
        code: TF_Code, the same numbers as google.rpc.Code.
        message: TensorFlow's text.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class CApi:
    """Bindings of one TensorFlow library.

    Args:
        path: the shared library.

    Raises:
        OSError, AttributeError: it cannot be loaded or lacks a function.
        RuntimeError: its strings lie otherwise in memory than this module reads them.
    """

    def __init__(self, path: str) -> None:
        # Quick calls keep the interpreter lock: giving it up and waiting for it again would take longer than they do.
        self._quick, self._slow = ctypes.PyDLL(path), ctypes.CDLL(path)
        quick: dict[str, tuple[Any, list[Any]]] = {
            "TF_NewStatus": (c_void_p, []), "TF_DeleteStatus": (None, [c_void_p]),
            "TF_GetCode": (c_int, [c_void_p]), "TF_Message": (c_char_p, [c_void_p]),
            "TF_NewGraph": (c_void_p, []), "TF_NewSessionOptions": (c_void_p, []),
            "TF_DeleteSessionOptions": (None, [c_void_p]),
            "TF_SetConfig": (None, [c_void_p, c_char_p, c_size_t, c_void_p]),
            "TF_GraphOperationByName": (c_void_p, [c_void_p, c_char_p]),
            "TF_AllocateTensor": (c_void_p, [c_int, POINTER(c_int64), c_int, c_size_t]),
            "TF_DeleteTensor": (None, [c_void_p]), "TF_TensorType": (c_int, [c_void_p]),
            "TF_NumDims": (c_int, [c_void_p]), "TF_Dim": (c_int64, [c_void_p, c_int]),
            "TF_TensorData": (c_void_p, [c_void_p]),
            "TF_StringInit": (None, [c_void_p]), "TF_StringDealloc": (None, [c_void_p]),
            "TF_StringCopy": (None, [c_void_p, c_char_p, c_size_t]),
            "TF_StringGetSize": (c_size_t, [c_void_p]), "TF_StringGetDataPointer": (c_void_p, [c_void_p]),
        }  # fmt: skip
        slow: dict[str, tuple[Any, list[Any]]] = {
            "TF_LoadSessionFromSavedModel": (
                c_void_p, [c_void_p, c_void_p, c_char_p, POINTER(c_char_p), c_int, c_void_p, c_void_p, c_void_p],
            ),
            "TF_SessionRun": (
                None, [c_void_p, c_void_p, POINTER(Output), POINTER(c_void_p), c_int, POINTER(Output),
                       POINTER(c_void_p), c_int, POINTER(c_void_p), c_int, c_void_p, c_void_p],
            ),
            "TF_CloseSession": (None, [c_void_p, c_void_p]), "TF_DeleteSession": (None, [c_void_p, c_void_p]),
            "TF_DeleteGraph": (None, [c_void_p]),
        }  # fmt: skip
        for library, functions in ((self._quick, quick), (self._slow, slow)):
            for name, (result, arguments) in functions.items():
                function = getattr(library, name)
                function.restype, function.argtypes = result, arguments
                setattr(self, name, function)
        self._check_strings()

    def __getattr__(self, name: str) -> Any:  # for type checkers: the functions are set above
        raise AttributeError(name)

    def call(self, function: Any, *arguments: Any) -> Any:
        """Calls a function whose last parameter is a TF_Status.

        Raises:
            CApiError: the status is not OK.
        """
        status = self.TF_NewStatus()
        try:
            result = function(*arguments, status)
            code = self.TF_GetCode(status)
            if code:
                raise CApiError(code, (self.TF_Message(status) or b"").decode("utf-8", "replace"))
            return result
        finally:
            self.TF_DeleteStatus(status)

    def tensor(self, array: np.ndarray, kept: list[Any]) -> int:
        """Makes a TF_Tensor.

        Args:
            array: numbers or bools, or an object array of bytes.
            kept: what must stay alive as long as the tensor is used is appended.

        Raises:
            ValueError: the dtype has no counterpart.
        """
        if array.dtype == object:
            number, data = STRING, _views(array, kept)
        else:
            number = _NUMBERS.get(array.dtype, 0)
            if not number:
                raise ValueError(f"arrays of type {array.dtype} cannot be fed")
            data = np.ascontiguousarray(array)
        shape = (c_int64 * max(array.ndim, 1))(*array.shape)
        tensor = self.TF_AllocateTensor(number, shape, array.ndim, data.nbytes)
        if data.nbytes:
            ctypes.memmove(self.TF_TensorData(tensor), data.ctypes.data, data.nbytes)
        return tensor

    def array(self, tensor: int) -> np.ndarray:
        """Copies a TF_Tensor.

        Raises:
            ValueError: its dtype has no counterpart.
        """
        shape = [self.TF_Dim(tensor, axis) for axis in range(self.TF_NumDims(tensor))]
        size, number = math.prod(shape), self.TF_TensorType(tensor)
        if number == STRING:
            strings = np.empty(size, object)
            strings[:] = _strings(self.TF_TensorData(tensor), size)
            return strings.reshape(shape)
        dtype = DTYPES.get(number)
        if dtype is None:
            raise ValueError(f"an output has the type {number}, which cannot be sent")
        raw = ctypes.string_at(self.TF_TensorData(tensor), size * dtype.itemsize) if size else b""
        return np.frombuffer(raw, dtype).reshape(shape)

    def _check_strings(self) -> None:
        """Compares this module's idea of a TF_TString with what the library makes and reads."""
        for text in (b"", b"a" * 22, b"b" * 23, b"\x00\xff" * 500):
            made = ctypes.create_string_buffer(_STRING_BYTES)
            place = ctypes.addressof(made)
            self.TF_StringInit(place)
            self.TF_StringCopy(place, text, len(text))
            read = _strings(place, 1)
            self.TF_StringDealloc(place)
            kept: list[Any] = []
            view = _views(np.array([text], object), kept)
            size, start = self.TF_StringGetSize(view.ctypes.data), self.TF_StringGetDataPointer(view.ctypes.data)
            if read != [text] or (ctypes.string_at(start, size) if size else b"") != text:
                raise RuntimeError("TensorFlow's strings have another form than expected")


_NUMBERS = {dtype: number for number, dtype in DTYPES.items()}


def _views(array: np.ndarray, kept: list[Any]) -> np.ndarray:
    """Bytes as TF_TStrings uint64 [n, 3] that point into one buffer: no call and no copy per string."""
    values = array.ravel().tolist()
    sizes = np.fromiter(map(len, values), np.uint64, len(values))
    joined = b"".join(values) or b"\x00"
    kept.append(joined)
    views = np.zeros((len(values), 3), np.uint64)
    views[:, 0] = sizes << np.uint64(2) | np.uint64(_VIEW)
    views[:, 1] = np.cumsum(sizes, dtype=np.uint64) - sizes + np.uint64(np.frombuffer(joined, np.uint8).ctypes.data)
    return views


def _strings(address: int | None, size: int) -> list[bytes]:
    """Reads TF_TStrings. Most ids are short and lie inside the structure."""
    if not size or not address:
        return []
    raw = ctypes.string_at(address, size * _STRING_BYTES)
    found: list[bytes] = []
    for start in range(0, len(raw), _STRING_BYTES):
        first = raw[start]
        if first & 3 == _SMALL:
            found.append(raw[start + 1 : start + 1 + (first >> 2)])
        else:
            found.append(_long_string(raw[start : start + _STRING_BYTES], address + start))
    return found


def _long_string(raw: bytes, address: int) -> bytes:
    words = [int.from_bytes(raw[place : place + 8], "little") for place in (0, 8, 16)]
    kind = words[0] & 3
    if kind == _OFFSET:
        size, start = (words[0] & 0xFFFFFFFF) >> 2, address + (words[0] >> 32)
    else:
        size, start = words[0] >> 2, words[2] if kind == _LARGE else words[1]
    return ctypes.string_at(start, size)


@lru_cache(maxsize=1)
def c_api() -> CApi:
    """The bindings of the installed TensorFlow.

    Raises:
        OSError, AttributeError, RuntimeError: this build of TensorFlow does not offer them.
    """
    from tfrec.tensorflow_setup import tf

    if sys.byteorder != "little" or ctypes.sizeof(c_void_p) != 8:
        raise RuntimeError("TensorFlow's strings are read on little-endian 64-bit machines only")
    folder = Path(tf.sysconfig.get_lib())
    for name in ("libtensorflow_cc.so.2", "libtensorflow_cc.2.dylib"):
        if (folder / name).is_file():
            return CApi(str(folder / name))
    raise OSError(f"{folder} holds no libtensorflow_cc")
