"""Names for annotations: what stores return and accept, and what backends are made of."""

from ._async import AsyncReadStream as AsyncReadStream
from ._async import AsyncWriteStream as AsyncWriteStream
from ._async import Listing as Listing
from ._sync import ReadStream as ReadStream
from ._sync import WriteStream as WriteStream
from ._types import AsyncContent as AsyncContent
from ._types import Buffer as Buffer
from ._types import Content as Content
from .backend import Pages as Pages
from .backend import Part as Part
from .backend import PartWriter as PartWriter
from .backend import Reader as Reader
from .backend import Writer as Writer
from .models import Entry as Entry
from .paths import PathLike as PathLike
