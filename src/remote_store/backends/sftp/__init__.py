"""Files in a folder of a server that speaks SFTP.

_options   what the user asked for
_keys      private keys as people have them
_hostkeys  which server may be who it says it is
_login     what is asked while somebody logs in
_connection  one connection, and its channels
_links     connections of one loop: made when needed, watched, closed together
_unfinished  what a lost connection left half done
_errors    statuses of the protocol and failures of SSH, as errors of this library
_facts     what a server tells of a file, as values of this library
_files     keys as paths of the server, and what is there
_opened    an open file, with facts to know it by
_download  one file on its way down, pieces asked for ahead
_temporary  the temporary beside a target
_upload    one file on its way up, into a temporary, and then under its name
_names     a file gets its second name and loses the first
_publish   a finished file gets its name
_aside     replacing on servers that rename over nothing
_scan      one folder being read
_listing   folders as pages of entries, many answers in flight
_change    delete, move and copy
_sweep     what killed writers and lost connections left
_backend   the contract in terms of these
"""

from ._backend import SFTPBackend
from ._keys import load_private_key
from ._options import HostKeyPolicy

__all__ = ["HostKeyPolicy", "SFTPBackend", "load_private_key"]
