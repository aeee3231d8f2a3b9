"""What can be done with files and folders: ask, list, find, copy, move, delete."""

from __future__ import annotations

from remote_store import RemoteFolder, Store, open_store


def fill(store: Store) -> None:
    for path in ("inbox/a.txt", "inbox/b.txt", "inbox/old/c.log", "readme.md"):
        store.write_text(path, f"this is {path}")


def ask(store: Store) -> None:
    print("exists:", store.exists("inbox/a.txt"), store.exists("nothing"))
    print("kinds:", store.is_file("inbox/a.txt"), store.is_folder("inbox"))

    info = store.get_file_info("inbox/a.txt")
    print("file:", info.name, info.size, "bytes, changed at", info.modified_at)  # in UTC

    # Adds up everything below, at any depth.
    folder = store.get_folder_info("inbox")
    print("folder:", folder.file_count, "files,", folder.total_size, "bytes")


def look_around(store: Store) -> None:
    # Listings come in no particular order, a page at a time, so sort what you need sorted.
    print("files:", sorted(str(info.path) for info in store.list_files("inbox")))
    print("all files:", sorted(str(info.path) for info in store.list_files("", recursive=True)))
    print("folders:", sorted(store.list_folders("")))
    print("logs:", [str(info.path) for info in store.glob("**/*.log")])

    for child in store.iter_children("inbox"):
        print("child:", "folder" if isinstance(child, RemoteFolder) else "file", child.path)

    # Parents come before what is in them.
    for path, folders, files in store.walk():
        print(f"walk: {str(path)!r}:", sorted(folders), sorted(info.name for info in files))


def change(store: Store) -> None:
    store.copy("inbox/a.txt", "archive/2026/a.txt")
    store.move("inbox/b.txt", "archive/2026/b.txt")
    store.delete("inbox/a.txt")
    store.delete("inbox/a.txt", missing_ok=True)  # it is gone already, and that is fine

    # A store of one folder. Its paths begin there, and cannot lead out of it.
    archive = store.child("archive")
    print("archive:", sorted(str(info.path) for info in archive.list_files(recursive=True)))

    # A folder with something in it goes only if that is said.
    store.delete_folder("archive", recursive=True)
    print("left:", sorted(str(info.path) for info in store.list_files(recursive=True)))


if __name__ == "__main__":
    with open_store("memory://") as memory:
        fill(memory)
        ask(memory)
        look_around(memory)
        change(memory)
