"""Adapters whose extra is not installed."""

from __future__ import annotations

import importlib
import sys

import pytest


@pytest.mark.spec("ARW-020", "ZARR-012")
@pytest.mark.parametrize(("module", "extra"), [("pyarrow", "arrow"), ("zarr", "zarr")])
def test_a_missing_extra_is_named(module: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.startswith(f"remote_store.ext.{extra}"):
            monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module(f"remote_store.ext.{extra}")
    assert caught.value.__notes__ == [f'install it with: pip install "remote-store[{extra}]"']
