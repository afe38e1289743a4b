"""Threads for arrays leave the interpreter as they found it."""

from __future__ import annotations

import sys

import pytest

from linkage.array_threads import array_threads


def test_the_interpreter_is_handed_over_quickly_while_they_work_and_as_before_afterwards() -> None:
    before = sys.getswitchinterval()
    with array_threads(2) as pool:
        assert pool.submit(sys.getswitchinterval).result() < before
    assert sys.getswitchinterval() == before


def test_an_error_in_the_block_leaves_the_interpreter_as_it_was() -> None:
    before = sys.getswitchinterval()
    with pytest.raises(ValueError, match="invalid literal"), array_threads(1) as pool:
        pool.submit(int, "x").result()
    assert sys.getswitchinterval() == before
