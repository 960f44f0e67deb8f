"""Runs a program in a pseudo-terminal: what it shows goes to the standard output, its exit code is this one's.

Arguments: the columns of the terminal; a text; the keys that are typed once the text has been shown; the program.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

TIMEOUT_S = 60

columns, awaited, keys, program = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3].encode(), sys.argv[4:]
child, terminal = pty.fork()
if child == 0:
    # The size has to be there before the program asks for it.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execvp(program[0], program)

shown = b""
ends_at = time.monotonic() + TIMEOUT_S
while time.monotonic() < ends_at:
    if not select.select([terminal], [], [], 1)[0]:
        continue
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        # Linux says so that the other end is closed.
        break
    if not chunk:
        break
    shown += chunk
    if keys and awaited in shown:
        os.write(terminal, keys)
        keys = b""
else:
    os.kill(child, signal.SIGKILL)

os.write(1, shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)
