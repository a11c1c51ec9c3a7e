"""Answers leave at once.

Streamlit binds the server's socket itself, without naming the protocol, and asyncio then does not switch off
Nagle's algorithm on its connections. An answer is written as head and body: the body waited for the browser's
delayed acknowledgement of the head, 40 ms on every request. Connections inherit the option from the listening socket.
"""

import gc
import socket


def send_at_once() -> int:
    """Switch off Nagle's algorithm on this process's TCP sockets and return on how many."""
    done = 0
    # By type: asking an object for its class wakes the lazy ones, and some answer with a warning.
    for candidate in [found for found in gc.get_objects() if issubclass(type(found), socket.socket)]:
        tcp = candidate.family in (socket.AF_INET, socket.AF_INET6) and candidate.type == socket.SOCK_STREAM
        if tcp and candidate.fileno() != -1:
            candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            done += 1
    return done
