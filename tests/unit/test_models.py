"""The values that a store hands out."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from remote_store import FileInfo, FolderInfo, RemoteFile, RemoteFolder, RemotePath, WriteResult

PATH = RemotePath("a/b.txt")
OTHER = RemotePath("a/c.txt")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

FULL: dict[type[Any], dict[str, Any]] = {
    FileInfo: {
        "path": PATH,
        "name": "b.txt",
        "size": 3,
        "modified_at": NOW,
        "checksum": "md5:900150983cd24fb0d6963f7d28e17f72",
        "content_type": "text/plain",
        "extra": {"owner": ["me"]},
        "etag": '"x"',
    },
    FolderInfo: {"path": PATH, "file_count": 2, "total_size": 9, "modified_at": NOW, "extra": {"a": {}}},
    RemoteFile: {"path": PATH},
    RemoteFolder: {"path": PATH},
    WriteResult: {"path": PATH, "size": 3, "etag": '"x"', "checksum": "md5:0", "version": "7"},
}
CHANGED: dict[str, Any] = {
    "path": OTHER,
    "name": "c.txt",
    "size": 4,
    "modified_at": NOW + timedelta(microseconds=1),
    "checksum": None,
    "content_type": None,
    "extra": {},
    "etag": None,
    "file_count": 3,
    "total_size": 10,
    "version": None,
}
MODELS = [pytest.param(kind, id=kind.__name__) for kind in FULL]
FIELDS = [pytest.param(kind, name, id=f"{kind.__name__}.{name}") for kind in FULL for name in FULL[kind]]


def made(kind: type[Any], **changes: Any) -> Any:
    return kind(**{**copy.deepcopy(FULL[kind]), **changes})


@pytest.mark.spec("MOD-001")
@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_models_are_frozen(kind: type[Any], name: str) -> None:
    model = made(kind)
    with pytest.raises(AttributeError):
        setattr(model, name, CHANGED[name])
    with pytest.raises(AttributeError):
        delattr(model, name)
    assert model == made(kind)


@pytest.mark.spec("MOD-001")
@pytest.mark.parametrize("kind", MODELS)
def test_models_take_no_further_attributes(kind: type[Any]) -> None:
    with pytest.raises((AttributeError, TypeError)):  # dataclasses before Python 3.14 raise TypeError here
        made(kind).anything = 1


@pytest.mark.spec("MOD-002")
@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_models_compare_by_every_field(kind: type[Any], name: str) -> None:
    assert made(kind) == made(kind)
    assert made(kind) != made(kind, **{name: CHANGED[name]})


@pytest.mark.spec("MOD-002")
def test_models_compare_by_exact_type() -> None:
    file, folder, result, info = (
        RemoteFile(PATH),
        RemoteFolder(PATH),
        WriteResult(PATH, 3),
        FolderInfo(PATH, 3, 0),
    )
    values: list[object] = [file, folder, result, info, PATH, "a/b.txt"]
    assert [[one == other for other in values] for one in values] == [
        [one is other for other in values] for one in values
    ]

    class Special(RemoteFile):
        pass

    assert Special(PATH) != RemoteFile(PATH)


@pytest.mark.spec("MOD-003")
@pytest.mark.parametrize("kind", MODELS)
def test_equal_models_hash_alike(kind: type[Any]) -> None:
    assert hash(made(kind)) == hash(made(kind))
    assert len({made(kind), made(kind), made(kind, path=OTHER)}) == 2


@pytest.mark.spec("MOD-003")
@pytest.mark.parametrize("kind", [FileInfo, FolderInfo])
def test_infos_hash_by_path_alone(kind: type[Any]) -> None:
    changed = {name: value for name, value in CHANGED.items() if name in FULL[kind] and name != "path"}
    assert hash(made(kind)) == hash(made(kind, **changed))
    assert hash(made(kind)) != hash(made(kind, path=OTHER))


@pytest.mark.spec("MOD-004")
def test_what_a_file_info_needs() -> None:
    info = FileInfo(PATH, "b.txt", 3, NOW)
    assert (info.path, info.name, info.size, info.modified_at) == (PATH, "b.txt", 3, NOW)
    assert (info.checksum, info.content_type, info.etag, info.extra) == (None, None, None, {})
    for name in ("path", "name", "size", "modified_at"):
        given = {key: value for key, value in FULL[FileInfo].items() if key != name}
        with pytest.raises(TypeError, match=name):
            FileInfo(**given)


@pytest.mark.spec("MOD-004")
def test_each_extra_is_a_dict_of_its_own() -> None:
    one, two = FileInfo(PATH, "b.txt", 3, NOW), FileInfo(PATH, "b.txt", 3, NOW)
    one.extra["seen"] = True
    assert two.extra == {}


@pytest.mark.spec("MOD-005", "MOD-006")
def test_what_is_not_known_stays_none() -> None:
    info = FileInfo(PATH, "b.txt", 3, None, etag='"900150983cd24fb0d6963f7d28e17f72"')
    assert info.modified_at is None
    assert info.checksum is None, "an etag is no checksum, whatever it looks like"
    assert FileInfo(PATH, "b.txt", 3, None, "md5:0").etag is None


@pytest.mark.spec("MOD-007")
def test_folder_info() -> None:
    info = FolderInfo(PATH, 0, 0)
    assert (info.file_count, info.total_size, info.modified_at, info.extra) == (0, 0, None, {})
    assert made(FolderInfo).modified_at == NOW


@pytest.mark.spec("MOD-008")
def test_write_result() -> None:
    result = WriteResult(PATH, 3)
    assert (result.path, result.size) == (PATH, 3)
    assert (result.etag, result.checksum, result.version) == (None, None, None)


@pytest.mark.spec("MOD-009")
def test_a_file_or_folder_by_its_path_alone() -> None:
    assert [field.name for field in dataclasses.fields(RemoteFile)] == ["path"]
    assert RemoteFolder(RemotePath("a/b")).name == "b"
    assert RemoteFolder(RemotePath.ROOT).name == ""
    assert RemoteFolder(PATH) == RemoteFolder(RemotePath(str(PATH)))


@pytest.mark.spec("MOD-010")
@pytest.mark.parametrize("kind", MODELS)
def test_models_survive_pickling_and_copying(kind: type[Any]) -> None:
    model = made(kind)
    copies = [copy.copy(model), copy.deepcopy(model), dataclasses.replace(model)]
    copies += [
        pickle.loads(pickle.dumps(model, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    ]
    for again in copies:
        assert again == model
        assert type(again) is kind
        assert repr(again) == repr(model)
