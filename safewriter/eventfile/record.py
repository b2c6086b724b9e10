"""Records: how events are framed in an event file.

    uint64 LE  length of the data
    uint32 LE  masked CRC32C of those eight bytes
    bytes      data: one serialized Event
    uint32 LE  masked CRC32C of the data

Source: TensorFlow, ``tensorflow/core/lib/io/record_writer.h`` and ``tensorflow/core/lib/hash/crc32c.h`` (the mask).
"""

from __future__ import annotations

import functools
import struct

import google_crc32c

HEADER = struct.Struct("<QI")
FOOTER = struct.Struct("<I")
OVERHEAD = HEADER.size + FOOTER.size  #: bytes that framing adds to an event

_LENGTH = struct.Struct("<Q")
MASK_DELTA = 0xA282EAD8  #: of the mask, see ``masked``
_crc32c = google_crc32c.value
_pack_footer = FOOTER.pack


def masked_crc(data: bytes) -> int:
    """The CRC32C of some bytes, as records store it."""
    return masked(_crc32c(data))


def masked(crc: int) -> int:
    """A CRC32C as records store it: rotated right by 15 bits, and offset."""
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


@functools.lru_cache(maxsize=1024)  # the events of one tag mostly have one length
def header_of(length: int) -> bytes:
    """What stands before the data of a record: its length, and the checksum of that."""
    packed = _LENGTH.pack(length)
    return packed + FOOTER.pack(masked_crc(packed))


def record_of(data: bytes) -> bytes:
    """The record for one serialized event."""
    crc = _crc32c(data)
    footer = _pack_footer(((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF)  # masked_crc, once less called
    return b"".join((header_of(len(data)), data, footer))
