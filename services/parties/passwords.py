"""Passwords of people: argon2id, slow on purpose. Two at a time, off the event loop: each takes 64 MiB and 0.1 s of a core."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

_HASHER = PasswordHash((Argon2Hasher(),))
_THREADS = ThreadPoolExecutor(2, thread_name_prefix="passwords")


async def hashed(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASHER.hash, password)


async def is_right(password: str, password_hash: str | None) -> bool:
    """Takes as long for an address nobody has (None) as for one that somebody has."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _is_right, password, password_hash)


def _is_right(password: str, password_hash: str | None) -> bool:
    matches = _HASHER.verify(password, password_hash or _nobodys())
    return matches and password_hash is not None


@cache
def _nobodys() -> str:
    return _HASHER.hash("the password of nobody")
