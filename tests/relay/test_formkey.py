"""Tokens of mailbox pages: they end by themselves and open nothing else."""

import base64
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import AuthenticityError
from protocol.names import ReceiptRoot
from relay.formkey import TOKEN_CHARS, FormKey

ROOT = ReceiptRoot(bytes(range(32)))
NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
KEY = FormKey()


def test_token_opened_within_the_hour_gives_the_root() -> None:
    token = KEY.seal_token(ROOT, purpose="message", now=NOW)
    later = NOW + timedelta(minutes=59, seconds=59)
    assert KEY.open_token(token, purpose="message", now=later) == ROOT


def test_token_after_the_hour_is_refused() -> None:
    token = KEY.seal_token(ROOT, purpose="message", now=NOW)
    with pytest.raises(AuthenticityError):
        KEY.open_token(token, purpose="message", now=NOW + timedelta(minutes=60))


def test_token_for_another_form_is_refused() -> None:
    token = KEY.seal_token(ROOT, purpose="message", now=NOW)
    with pytest.raises(AuthenticityError):
        KEY.open_token(token, purpose="close", now=NOW)


def test_token_of_another_process_is_refused() -> None:
    token = FormKey().seal_token(ROOT, purpose="message", now=NOW)
    with pytest.raises(AuthenticityError):
        KEY.open_token(token, purpose="message", now=NOW)


def test_token_with_any_bit_changed_is_refused() -> None:
    token = KEY.seal_token(ROOT, purpose="message", now=NOW)
    sealed = base64.urlsafe_b64decode(token + "=")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        text = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        with pytest.raises(AuthenticityError):
            KEY.open_token(text, purpose="message", now=NOW)


@pytest.mark.claim("C1")
def test_token_shows_neither_root_nor_time_and_never_repeats() -> None:
    tokens = [KEY.seal_token(ROOT, purpose="message", now=NOW) for _ in range(2)]
    assert tokens[0] != tokens[1]
    assert {len(token) for token in tokens} == {TOKEN_CHARS}
    assert bytes(ROOT) not in base64.urlsafe_b64decode(tokens[0] + "=")


def test_key_is_not_written_out_by_accident() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(KEY)
    assert "object at" in repr(KEY)


@given(st.text(max_size=200) | st.text("AZaz09-_=", min_size=TOKEN_CHARS, max_size=TOKEN_CHARS))
@settings(max_examples=300)
def test_any_text_raises_only_the_documented_error(text: str) -> None:
    with pytest.raises(AuthenticityError):
        KEY.open_token(text, purpose="message", now=NOW)
