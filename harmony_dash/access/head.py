"""The head of the audit trail: its newest link, kept outside the database.

The chain alone cannot show that its newest rows were cut off; the head can. It carries a seal, an HMAC of its own, so
that nobody without the access key can write one that fits a shortened trail. An older head put back together with an
older database still fits: only a head kept where the same person cannot reach it shows that.
"""

from __future__ import annotations

import hmac
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from harmony_dash.errors import SettingsError, UserError

KEY_PURPOSE = "audit head"


class NotAHead(UserError):
    """Something else than a head was given for one."""


@dataclass(frozen=True)
class Head:
    """The newest row of the trail at one moment; id 0, and nothing else, for a trail without links.

    Attributes
    ----------
    id, at, mac : of the row.
    seal : HMAC over the three.
    """

    id: int
    at: str
    mac: str
    seal: str

    @property
    def text(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))


def seal_head(key: bytes, number: int, at: str, mac: str) -> Head:
    """The head that names this row.

    Parameters
    ----------
    key : derived for `KEY_PURPOSE`.
    """
    body = json.dumps([number, at, mac], separators=(",", ":"))
    return Head(number, at, mac, hmac.digest(key, body.encode(), "sha256").hex())


def is_sealed(key: bytes, head: Head) -> bool:
    """Whether the head was sealed with this key and is as it was then."""
    expected = seal_head(key, head.id, head.at, head.mac).seal
    return hmac.compare_digest(expected.encode(), head.seal.encode("utf-8", "replace"))


def parse_head(text: str) -> Head:
    """The head that `Head.text` wrote; its seal is not checked here.

    Raises
    ------
    NotAHead for any other text.
    """
    try:
        head = Head(**json.loads(text))
    except (ValueError, TypeError, RecursionError):
        raise _not_a_head() from None
    if type(head.id) is not int or any(type(part) is not str for part in (head.at, head.mac, head.seal)):
        raise _not_a_head()
    return head


def read_head_file(path: Path) -> Head | None:
    """The head in the file; None if there is no file, or an empty one.

    An empty file is what a power cut may leave of a rename that was not forced to the disk; it says no more, and
    therefore counts no more, than no file.

    Raises
    ------
    SettingsError if it cannot be read.
    NotAHead if it holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise unusable(problem) from None
    return parse_head(text) if text.strip("\0 \r\n\t") else None


def write_head_file(path: Path, head: Head) -> None:
    """Replace the file at once, readable by its owner alone.

    It is not forced to the disk: after a power cut an older head may be left, which is still true of the trail, and
    waiting for a second disk at every click would double the price of an answer.

    Raises
    ------
    OSError.
    """
    # one writer at a time: the caller holds the lock of the database
    fresh = path.with_name(f".{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(head.text + "\n")
    fresh.replace(path)


def unusable(problem: OSError) -> SettingsError:
    """The error for a head that cannot be read or written."""
    return SettingsError(f"the head of the audit trail cannot be read or written ({problem.strerror})",
                         where="HARMONY_AUDIT_HEAD", remedy="Check that the file and its folder belong to this user.")


def _not_a_head() -> NotAHead:
    return NotAHead("this is not the head of an audit trail", where="head",
                    remedy="Give a file that `audit head` wrote.")
