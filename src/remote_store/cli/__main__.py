"""``python -m remote_store.cli``."""

from . import main

main()
