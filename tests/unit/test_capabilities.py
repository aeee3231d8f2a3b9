"""``Capability`` and ``CapabilitySet``."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_store import Capability, CapabilityNotSupported, CapabilitySet
from remote_store.capabilities import OPERATIONS

NAMES = [
    "READ",
    "WRITE",
    "DELETE",
    "LIST",
    "MOVE",
    "COPY",
    "ATOMIC_WRITE",
    "GLOB",
    "RECURSIVE_LIST",
    "METADATA",
    "EXCLUSIVE_CREATE",
    "CONDITIONAL_WRITE",
    "WRITE_OPTIONS",
    "PRESIGN",
    "RESUMABLE_WRITE",
]


@pytest.mark.spec("CAP-001")
def test_the_capabilities() -> None:
    assert {capability.name: capability.value for capability in Capability} == {
        name: name.lower() for name in NAMES
    }


@pytest.mark.spec("CAP-002")
@pytest.mark.parametrize("make", [list, tuple, set, frozenset, iter, lambda given: dict.fromkeys(given)])
def test_a_set_takes_any_iterable(make: Callable[[list[Capability]], Iterable[Capability]]) -> None:
    assert list(CapabilitySet(make([Capability.WRITE, Capability.READ, Capability.READ]))) == [
        Capability.READ,
        Capability.WRITE,
    ]


@pytest.mark.spec("CAP-002")
def test_a_set_does_not_change_when_its_source_does() -> None:
    members = [Capability.READ]
    capabilities = CapabilitySet(members)
    members.append(Capability.WRITE)
    assert list(capabilities) == [Capability.READ]
    with pytest.raises(AttributeError):
        capabilities.more = 1  # type: ignore[attr-defined]  # the point of the test


@pytest.mark.spec("CAP-002", "CAP-004")
@given(st.frozensets(st.sampled_from(Capability)))
def test_the_two_questions_agree(members: frozenset[Capability]) -> None:
    capabilities = CapabilitySet(members)
    assert len(capabilities) == len(members)
    assert capabilities.complete == (members >= OPERATIONS)
    for capability in Capability:
        assert capabilities.supports(capability) == (capability in capabilities) == (capability in members)


@pytest.mark.spec("CAP-002")
@pytest.mark.parametrize(
    "thing", ["read", "READ", None, 0, object(), Capability, ("read",), [], {}, {"read"}]
)
def test_what_is_no_capability_is_not_in(thing: Any) -> None:
    assert thing not in CapabilitySet(Capability)


@pytest.mark.spec("CAP-003")
@given(st.frozensets(st.sampled_from(Capability)), st.sampled_from(Capability))
def test_require(members: frozenset[Capability], wanted: Capability) -> None:
    capabilities = CapabilitySet(members)
    if wanted in members:
        capabilities.require(wanted)
        capabilities.require(wanted, backend="x")
        return
    with pytest.raises(CapabilityNotSupported) as caught:
        capabilities.require(wanted, backend="tape")
    assert (caught.value.capability, caught.value.backend) == (wanted.value, "tape")
    listed = ", ".join(sorted(member.value for member in members)) or "nothing"
    assert caught.value.message.endswith(f"it supports: {listed}")
    assert wanted.value in caught.value.message


@pytest.mark.spec("CAP-003")
def test_without_a_name_the_backend_is_none() -> None:
    with pytest.raises(CapabilityNotSupported) as caught:
        CapabilitySet([]).require(Capability.READ)
    assert caught.value.backend is None


@pytest.mark.spec("CAP-004")
def test_order_and_repr() -> None:
    capabilities = CapabilitySet(reversed(Capability))
    assert [member.name for member in capabilities] == sorted(NAMES)
    assert repr(capabilities) == f"CapabilitySet({{{', '.join(sorted(NAMES))}}})"
    assert repr(CapabilitySet([])) == "CapabilitySet({})"
    assert len(capabilities) == len(NAMES)


@pytest.mark.spec("CAP-002")
def test_a_set_can_be_pickled() -> None:
    again = pickle.loads(pickle.dumps(CapabilitySet([Capability.READ])))
    assert list(again) == [Capability.READ]
    assert not again.complete
