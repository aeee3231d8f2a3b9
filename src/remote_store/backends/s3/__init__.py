"""Objects in a bucket of Amazon S3, or of a server that speaks its protocol.

_options   what the user asked for, as arguments of aiobotocore
_api       the one way down: every request, every error
_connection  one client for each loop, and beside it the wire; _client makes the former
_wire      the short way for plain requests, with _signing, _headers and _list_xml
_first_try what the wire got instead of a success, for the client to go on from
_clock, _renewal  the server's time, and other credentials, where what we have is refused
_errors    codes of the protocol and failures of the network, as errors of this library
_objects   facts of an object: headers and listing entries as values
_download  one object on its way down, pinned to the version it was opened in; _reader gives it to callers
_fitting   whether an answer is the part of the version that was asked for
_upload    one object on its way up: one request, or parts in flight
_parts     the same over several processes
_listing   pages of keys as files and folders
_change    copy, move and delete
_sweep     what killed processes left
_backend   the contract in terms of these
"""

from ._backend import S3Backend

__all__ = ["S3Backend"]
