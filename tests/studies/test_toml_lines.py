"""Lines of keys, also where TOML is at its most inventive."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpsolver.studies.toml_lines import key_lines

TEXT = '''\
title = "a # not a comment"   # 1
[landscape]                   # 2
expression = """
several
[lines] = 3
"""                           # 6
parameters = { a = 1.0, "b c" = [1, 2] }

[ grid . x ]                  # 9
lower = -1
faces = [
  0.0,                        # 12
  1.0, # comment ]
  2.0,
]
'quoted key' = 'it''s'
[[tasks]]
k = 1
[[tasks]]
k.deep = 2
[tasks.inner]
z = 1979-05-27T07:32:00Z
'''.replace("'it''s'", "'its'")


def test_every_form_of_a_key_is_found():
    lines = key_lines(TEXT)
    expected = {
        ("title",): 1,
        ("landscape",): 2,
        ("landscape", "expression"): 3,
        ("landscape", "parameters"): 7,
        ("landscape", "parameters", "a"): 7,
        ("landscape", "parameters", "b c"): 7,
        ("landscape", "parameters", "b c", 1): 7,
        ("grid", "x"): 9,
        ("grid", "x", "lower"): 10,
        ("grid", "x", "faces", 0): 12,
        ("grid", "x", "faces", 2): 14,
        ("grid", "x", "quoted key"): 16,
        ("tasks", 0, "k"): 18,
        ("tasks", 1, "k", "deep"): 20,
        ("tasks", 1, "inner", "z"): 22,
    }
    assert {key: lines.get(key) for key in expected} == expected


def leaves(value, path=()):
    """Return the paths of everything in nested tables and arrays."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in items:
        yield (*path, key)
        yield from leaves(entry, (*path, key))


def test_nothing_that_tomllib_finds_is_missed():
    assert set(leaves(tomllib.loads(TEXT))) <= set(key_lines(TEXT))


SCALARS = st.one_of(
    st.integers(-99, 99).map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6).map(repr),
    st.text("ab #[]{}=,.'", max_size=6).map(lambda text: f'"{text}"'),
    st.text('ab #[]{}=,."', max_size=6).map(lambda text: f"'{text}'"),
    st.text("ab\n#[]=", max_size=6).map(lambda text: f'"""{text}"""'),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ",\n ".join(items) + "]"),
        st.lists(inner, max_size=3).map(
            lambda items: "{" + ", ".join(f"k{n} = {item}" for n, item in enumerate(items)) + "}"
        ),
    ),
    max_leaves=5,
)


@given(st.lists(st.tuples(st.sampled_from(["", "[table{}]\n", "[a.b{}]\n", "# note\n\n"]), VALUES), max_size=5))
def test_random_texts_have_a_line_for_each_key_and_the_line_holds_the_key(entries):
    text = ""
    for number, (header, value) in enumerate(entries):
        text += header.format(number) + f"key{number} = {value}\n"
    lines = key_lines(text)
    rows = text.split("\n")
    for path in leaves(tomllib.loads(text)):
        assert path in lines
        if isinstance(path[-1], str) and path[-1].startswith("k"):
            assert path[-1] in rows[lines[path] - 1]


@pytest.mark.parametrize("text", ["", "# only a comment", "\n\n"])
def test_empty_texts(text):
    assert key_lines(text) == {}
