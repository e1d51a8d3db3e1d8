"""A real SFTP server over a folder, in a process of its own, that knows one user by key.

Run as: python sftp_server.py ROOT KEYS; it writes the keys, prints its port, and serves until it is killed.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh


@dataclass(frozen=True)
class SftpServer:
    """Where the server is and what a client needs."""

    url: str
    key_file: Path
    known_hosts: Path


@contextmanager
def sftp_server(root: Path, keys: Path) -> Iterator[SftpServer]:
    """Serve `root` until the end of the block; keys are written in `keys`."""
    process = subprocess.Popen([sys.executable, __file__, str(root), str(keys)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        yield SftpServer(f"sftp://billing@127.0.0.1:{port}/", keys / "user", keys / "known_hosts")
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


async def _serve(root: Path, keys: Path) -> None:
    host_key, user_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    user_key.write_private_key(str(keys / "user"))
    user_key.write_public_key(str(keys / "authorized"))
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        authorized_client_keys=str(keys / "authorized"),
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(root)),
    )
    port = server.get_port()
    (keys / "known_hosts").write_bytes(f"[127.0.0.1]:{port} ".encode() + host_key.export_public_key())
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), Path(sys.argv[2])))
