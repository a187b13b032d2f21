"""Connections for every protocol: the rules for hosts, name resolution, sockets and TLS. Nothing
else opens a socket, so that no protocol can bypass the rules."""
