"""Answers leave at once, to as many as come.

Streamlit binds the server's socket itself, without naming the protocol, and asyncio then does not switch off
Nagle's algorithm on its connections. An answer is written as head and body: the body waited for the browser's
delayed acknowledgement of the head, 40 ms on every request. Connections inherit the option from the listening socket.
"""

import gc
import resource
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


def open_many() -> int:
    """Let this process hold as many sockets and files open as the machine allows, and return how many that is.

    Systems begin with a low limit, often 1024, for old programs' sake; each tab that is open holds a socket or two.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
