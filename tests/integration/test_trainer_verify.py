# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a version can be made again, and what has changed when it cannot."""

import hashlib
import re
import struct
import zlib

import pytest

from stack import HOUR
from trainer_data import START, train, trainer_stack, write_hours

SERIES = "kitchen.temperature"
N = 4 * 7 * 24


def verify(st, version):
    return st.post("trainer", f"/api/v1/models/{SERIES}/versions/{version}/verify")


def document(st, version):
    return st.pg("SELECT document FROM model_versions WHERE version = %s", version)[0]["document"]


def store_document(st, version, text):
    """As another build would have left it: its hash fits."""
    st.pg("UPDATE model_versions SET document = %s, content_sha256 = encode(sha256(convert_to(%s, 'UTF8')), 'hex')"
          " WHERE version = %s", text, text, version)


def canonical(values, start_s=START // 1000):
    return b"".join(struct.pack("<qd", start_s + h * 3600, y) for h, y in enumerate(values))


def store_rows(st, rows, version=1):
    st.pg("UPDATE model_versions SET training_rows = %s WHERE version = %s", zlib.compress(rows), version)


def another_build(text):
    """What one with another band would have made of the same rows."""
    changed = re.sub(r'"upper":\[[^,]+', '"upper":[0.125', text)
    assert changed != text
    return changed


def test_verify_tells_data_from_code(stacks):
    st = trainer_stack(stacks, weeks=4)
    train(st, [SERIES])
    train(st, [SERIES])
    for v in (1, 2):
        answer = verify(st, v)
        assert answer["result"] == "same" and answer["rebuilt_sha256"] == answer["content_sha256"], answer
    # late data
    write_hours(st, SERIES, 1, start=START + 100 * HOUR, value=lambda *_: 7.5)
    answer = verify(st, 1)
    assert answer["result"] == "data_changed" and answer["hourly"] == {"changed": 1, "aged_out": 0}
    # all of it gone: nothing to compare with, and still an answer
    st.influx("DROP MEASUREMENT hourly")
    assert verify(st, 1)["result"] == "same"


def test_code_that_makes_another_document(stacks):
    st = trainer_stack(stacks, weeks=4)
    train(st, [SERIES])
    made = document(st, 1)
    store_document(st, 1, another_build(made))
    answer = verify(st, 1)
    assert answer["result"] == "code_changed" and answer["rows_intact"] is True, answer
    assert answer["rebuilt_sha256"] == hashlib.sha256(made.encode()).hexdigest() != answer["content_sha256"]
    assert answer["hourly"] == {"changed": 0, "aged_out": 0} and "not_rebuilt" not in answer
    assert answer["code_then"] == answer["code_now"]


def test_code_that_makes_none_of_the_rows(stacks):
    st = trainer_stack(stacks, weeks=4)
    train(st, [SERIES])
    rows = canonical([20 + h % 24 for h in range(N - 1)] + [1e200])
    sha256 = hashlib.sha256(rows).hexdigest()
    then = st.pg("SELECT rows_sha256 FROM model_versions")[0]["rows_sha256"]
    store_rows(st, rows)
    store_document(st, 1, document(st, 1).replace(then, sha256))
    answer = verify(st, 1)
    assert answer["result"] == "code_changed" and answer["rows_intact"] is True, answer
    assert answer["rebuilt_sha256"] is None and "1e+200" in answer["not_rebuilt"]
    assert answer["rows_sha256"] == sha256 and answer["hourly"]["changed"] > 0


def test_a_champion_of_then_that_cannot_be_read(stacks):
    st = trainer_stack(stacks, weeks=4)
    train(st, [SERIES])
    train(st, [SERIES])
    store_document(st, 1, '{"fieldcast_model":1}')
    assert verify(st, 2)["result"] == "same"  # it made no difference
    store_document(st, 2, another_build(document(st, 2)))
    answer = verify(st, 2)
    assert answer["result"] == "code_changed" and answer["rebuilt_sha256"] is None, answer
    assert answer["not_rebuilt"].startswith("version 1, the champion then, cannot be read: ")


@pytest.mark.parametrize("rows", [canonical([21.5] * N), canonical([21.5] * N, 1800), canonical([1e200] * N), b"x" * 99],
                         ids=["others", "of half hours", "too large to learn", "none at all"])
def test_rows_that_are_not_those_that_were_hashed(stacks, rows):
    st = trainer_stack(stacks, weeks=4)
    train(st, [SERIES])
    store_rows(st, rows)
    answer = verify(st, 1)
    assert answer["result"] == "data_changed" and answer["rows_intact"] is False, answer
    assert answer["rebuilt_sha256"] is None and answer["not_rebuilt"] == answer["hourly"]["not_compared"]


def test_rows_that_cannot_be_unpacked(stacks):
    st = trainer_stack(stacks, weeks=4)
    train(st, [SERIES])
    for sql, why in (("training_rows = '\\x00'", "are damaged"), ("rows_n = 2000000000", "claims 2000000000 rows")):
        st.pg(f"UPDATE model_versions SET {sql}")
        answer = verify(st, 1)
        assert answer["result"] == "data_changed" and answer["rows_intact"] is False, answer
        assert answer["rows_sha256"] is answer["rebuilt_sha256"] is None and why in answer["not_rebuilt"]
