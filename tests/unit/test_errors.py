"""The error tree: what each error is, says and carries, and that it crosses processes whole."""

from __future__ import annotations

import copy
import errno
import multiprocessing
import os
import pickle
import traceback
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
from tests.unit.support import fresh_python

from remote_store import (
    AlreadyExists,
    BackendUnavailable,
    CapabilityNotSupported,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
    errors,
)
from remote_store.backends.local._errors import translate

BUILTINS: dict[type[RemoteStoreError], type[Exception] | None] = {
    PreconditionFailed: None,
    NotFound: FileNotFoundError,
    AlreadyExists: FileExistsError,
    PermissionDenied: PermissionError,
    InvalidPath: ValueError,
    DirectoryNotEmpty: OSError,
    CapabilityNotSupported: NotImplementedError,
    BackendUnavailable: ConnectionError,
}
LEAVES = [pytest.param(kind, id=kind.__name__) for kind in BUILTINS]
ALL = [pytest.param(RemoteStoreError, id="RemoteStoreError"), *LEAVES]


class Unpicklable(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


# -- the tree ----------------------------------------------------------------------


@pytest.mark.spec("ERR-001")
def test_the_tree_is_flat_and_complete() -> None:
    defined = {
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)
    }
    assert defined == {RemoteStoreError, *BUILTINS}
    assert RemoteStoreError.__bases__ == (Exception,)
    for kind in BUILTINS:
        assert kind.__bases__[0] is RemoteStoreError
        added = {
            each for each in kind.__subclasses__() if not each.__module__.startswith("remote_store.ext.")
        }
        assert not added, "only adapters have errors of their own, which are other libraries' too"


@pytest.mark.spec("ERR-002")
@pytest.mark.parametrize("kind", LEAVES)
def test_each_leaf_is_a_builtin_too(kind: type[RemoteStoreError]) -> None:
    builtin = BUILTINS[kind]
    assert kind.__bases__ == ((RemoteStoreError,) if builtin is None else (RemoteStoreError, builtin))
    with pytest.raises(builtin or RemoteStoreError):
        raise kind("text", path="a")


@pytest.mark.spec("ERR-003")
@pytest.mark.parametrize("kind", ALL)
def test_attributes(kind: type[RemoteStoreError]) -> None:
    error = kind("text")
    assert (error.message, error.path, error.backend) == ("text", None, None)
    assert error.args == ("text",)
    assert error.retryable is (kind is BackendUnavailable)
    full = kind("text", path="a/b", backend="local", retryable=not error.retryable)
    assert (full.path, full.backend, full.retryable) == ("a/b", "local", not error.retryable)
    assert kind().message == ""


@pytest.mark.spec("ERR-003")
@pytest.mark.parametrize("kind", ALL)
def test_only_the_message_is_positional(kind: Any) -> None:
    with pytest.raises(TypeError):
        kind("text", "a/b")


@pytest.mark.spec("ERR-004")
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (NotFound, errno.ENOENT),
        (AlreadyExists, errno.EEXIST),
        (PermissionDenied, errno.EACCES),
        (DirectoryNotEmpty, errno.ENOTEMPTY),
    ],
)
def test_errno(kind: type[OSError], code: int) -> None:
    assert kind("text").errno == code
    assert pickle.loads(pickle.dumps(kind("text"))).errno == code


# -- texts ---------------------------------------------------------------------------


@pytest.mark.spec("ERR-005")
@pytest.mark.parametrize("kind", ALL)
def test_str_and_repr(kind: type[RemoteStoreError]) -> None:
    name = kind.__name__
    assert str(kind("text")) == "text"
    assert repr(kind("text")) == f"{name}('text')"
    assert str(kind("text", path="a/b")) == "text | path='a/b'"
    assert str(kind("text", backend="local")) == "text | backend='local'"
    full = kind("it's", path="a'b", backend="local")
    assert str(full) == """it's | path="a'b" | backend='local'"""
    assert repr(full) == f"""{name}("it's", path="a'b", backend='local')"""
    assert str(kind("text", path="")) == "text | path=''", "the root is a path as well"


@pytest.mark.spec("ERR-005")
def test_str_and_repr_with_a_capability() -> None:
    error = CapabilityNotSupported("text", path="a", backend="tape", capability="seek")
    assert str(error) == "text | path='a' | backend='tape' | capability='seek'"
    assert repr(error) == "CapabilityNotSupported('text', path='a', backend='tape', capability='seek')"
    assert str(CapabilityNotSupported("text", capability="seek")) == "text | capability='seek'"
    assert CapabilityNotSupported("text").capability == ""


@pytest.mark.spec("ERR-005")
def test_text_that_is_set_later_shows_as_well() -> None:
    error = NotFound("text", path="root/a")
    error.path = "a"
    assert str(error) == "text | path='a'"
    assert "NotFound: text | path='a'" in "".join(traceback.format_exception(error))


# -- pickling ------------------------------------------------------------------------


def full(kind: type[RemoteStoreError]) -> RemoteStoreError:
    error = kind("text", path="a/b", backend="local", retryable=True)
    if isinstance(error, CapabilityNotSupported):
        error.capability = "seek"
    error.__cause__ = OSError(errno.EIO, "broken", "file")
    error.added_later = {"x": 1}  # type: ignore[attr-defined]  # every attribute means every one
    error.add_note("a note")
    return error


def assert_same(again: RemoteStoreError, error: RemoteStoreError) -> None:
    assert type(again) is type(error)
    assert again.args == error.args
    assert vars(again) == vars(error)
    assert (str(again), repr(again)) == (str(error), repr(error))
    cause, first = again.__cause__, error.__cause__
    assert (type(cause), str(cause)) == (type(first), str(first))


@pytest.mark.spec("ERR-006")
@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_keeps_everything(kind: type[RemoteStoreError], protocol: int) -> None:
    error = full(kind)
    assert_same(pickle.loads(pickle.dumps(error, protocol)), error)
    assert_same(copy.copy(error), error)
    bare = kind("text")
    assert_same(pickle.loads(pickle.dumps(bare, protocol)), bare)


@pytest.mark.spec("ERR-006")
def test_causes_are_kept_all_the_way_down() -> None:
    error = NotFound("top", path="a")
    error.__cause__ = BackendUnavailable("middle", retryable=False)
    error.__cause__.__cause__ = ConnectionResetError("bottom")
    again = pickle.loads(pickle.dumps(error))
    assert repr(again.__cause__) == "BackendUnavailable('middle')"
    assert again.__cause__.retryable is False
    assert repr(again.__cause__.__cause__) == "ConnectionResetError('bottom')"


@pytest.mark.spec("ERR-006")
@pytest.mark.parametrize("kind", ALL)
def test_a_cause_that_cannot_be_pickled_is_replaced_by_its_text(kind: type[RemoteStoreError]) -> None:
    class Local(Exception):
        pass

    for cause in (Unpicklable(1, 2), Local("1 and 2")):
        error = kind("text")
        error.__cause__ = cause
        again = pickle.loads(pickle.dumps(error))
        assert type(again.__cause__) is RemoteStoreError
        assert again.__cause__.message == f"{type(cause).__name__}: 1 and 2"


def raised_in_a_child(name: str) -> None:
    try:
        raise OSError(errno.EIO, "broken")
    except OSError as cause:
        raise getattr(errors, name)("text", path="a/b", backend="local", retryable=True) from cause


@pytest.mark.spec("ERR-006")
def test_errors_come_out_of_a_process_pool() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        for kind in BUILTINS:
            with pytest.raises(kind) as caught:
                pool.submit(raised_in_a_child, kind.__name__).result(60)
            error = caught.value
            assert (error.message, error.path, error.backend, error.retryable) == (
                "text",
                "a/b",
                "local",
                True,
            )


@pytest.mark.spec("ERR-006")
def test_a_pickled_error_is_read_by_a_fresh_interpreter() -> None:
    script = """
        import pickle, sys
        error = pickle.loads(bytes.fromhex(sys.argv[1]))
        print(type(error).__module__, repr(error), repr(error.__cause__), error.retryable, error.added_later)
    """
    printed = fresh_python(script, pickle.dumps(full(NotFound)).hex())
    assert printed.strip() == (
        "remote_store.errors NotFound('text', path='a/b', backend='local') OSError(5, 'broken') True {'x': 1}"
    )


# -- native errors -------------------------------------------------------------------

MISLEADING = [
    "",
    "No such file or directory",
    "Permission denied",
    "File exists",
    "timed out",
    "404 not found",
]


@pytest.mark.spec("ERR-009", "LOC-027")
@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_native_errors_are_classed_by_number_and_never_by_text(number: int) -> None:
    honest = translate(OSError(number, os.strerror(number)), "a")
    assert isinstance(honest, RemoteStoreError)
    assert (honest.path, honest.backend) == ("a", "local")
    for text in MISLEADING:
        error = translate(OSError(number, text, "No such file"), "a")
        assert (type(error), error.retryable) == (type(honest), honest.retryable)


@pytest.mark.spec("ERR-009", "LOC-027")
@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOENT, NotFound),
        (errno.ENOTDIR, NotFound),
        (errno.EEXIST, AlreadyExists),
        (errno.EACCES, PermissionDenied),
        (errno.EPERM, PermissionDenied),
        (errno.EROFS, PermissionDenied),
        (errno.EISDIR, InvalidPath),
        (errno.ENAMETOOLONG, InvalidPath),
        (errno.ELOOP, InvalidPath),
        (errno.ENOTEMPTY, DirectoryNotEmpty),
        (errno.ENOSPC, RemoteStoreError),
        (errno.EIO, BackendUnavailable),
        (errno.ETIMEDOUT, BackendUnavailable),
    ],
)
def test_which_number_is_which_class(number: int, kind: type[RemoteStoreError]) -> None:
    assert type(translate(OSError(number, "text"), "a")) is kind


@pytest.mark.spec("ERR-009")
def test_an_error_without_a_number_is_of_no_class_but_the_base() -> None:
    assert type(translate(OSError("No such file or directory"), "a")) is RemoteStoreError
