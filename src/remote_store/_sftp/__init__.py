"""The SFTP protocol, version 3, on a channel of asyncssh: many requests in one flight.

asyncssh does the transport: key exchange, host keys, logins, encryption, channels. The
requests are ours, because what costs time is waiting: a file is opened, read and closed
in two round trips here. draft-ietf-secsh-filexfer-02 is the protocol, OpenSSH's PROTOCOL
file tells of its extensions.

    packets   numbers, attributes and names as they stand in packets; no SSH, no I/O
    channel   requests out, answers in, each answer a future
"""
