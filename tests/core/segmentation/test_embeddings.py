"""Embeddings survive their file form, and nothing else passes for one."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.segmentation.protocol import Embedding

numbers = arrays.arrays(
    st.sampled_from([np.float16, np.float32, np.uint8, np.int64, np.bool_]), arrays.array_shapes(min_side=0)
)
embeddings = st.builds(
    Embedding,
    size_hw=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    encoder_key=st.text("0123456789abcdef", min_size=64, max_size=64),
    arrays=st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), numbers, max_size=3),
)


def kept() -> bytes:
    return Embedding((40, 30), "e" * 64, {"features": np.arange(60, dtype=np.float16).reshape(3, 4, 5)}).to_bytes()


@given(embeddings)
@settings(deadline=None)
def test_an_embedding_comes_back_from_its_bytes(embedding: Embedding) -> None:
    back = Embedding.from_bytes(embedding.to_bytes())
    assert (back.size_hw, back.encoder_key) == (embedding.size_hw, embedding.encoder_key)
    assert set(back.arrays) == set(embedding.arrays)
    for name, array in embedding.arrays.items():
        assert back.arrays[name].dtype == array.dtype
        assert back.arrays[name].shape == array.shape
        assert back.arrays[name].tobytes() == array.tobytes()
        assert not back.arrays[name].flags.writeable
    assert back.nbytes == embedding.nbytes


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda data: b"PK\x03\x04" + data))
def test_garbage_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="kept embedding"):
        Embedding.from_bytes(data)


@given(st.integers(0, len(kept()) - 1))
@settings(deadline=None)
def test_a_cut_embedding_is_a_value_error(length: int) -> None:
    with pytest.raises(ValueError, match="kept embedding"):
        Embedding.from_bytes(kept()[:length])


@given(st.integers(0, len(kept()) - 1), st.integers(1, 255))
@settings(deadline=None)
def test_a_changed_byte_is_a_value_error_or_still_an_embedding(place: int, change: int) -> None:
    data = bytearray(kept())
    data[place] ^= change
    try:
        assert isinstance(Embedding.from_bytes(bytes(data)), Embedding)
    except ValueError:
        pass


def test_an_embedding_with_code_in_it_is_a_value_error() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, meta=np.array("{}"), a_x=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(ValueError, match="kept embedding"):
        Embedding.from_bytes(buffer.getvalue())


def test_a_zip_of_something_else_is_a_value_error() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("meta.npy", "not an array")
    with pytest.raises(ValueError, match="kept embedding"):
        Embedding.from_bytes(buffer.getvalue())


def test_nobody_changes_an_embedding() -> None:
    embedding = Embedding.from_bytes(kept())
    with pytest.raises(ValueError, match="read-only"):
        embedding.arrays["features"][0] = 1
