from hypothesis import given
from hypothesis import strategies as st

from providers.credential import Caller, Credential, tenant_of

SALT = b"salt"
TEXTS = st.text(st.characters(codec="ascii"), max_size=4)
SCOPES = st.dictionaries(TEXTS, TEXTS, max_size=2)


def test_a_key_is_in_no_repr() -> None:
    caller = Caller(Credential("sk-secret", "bearer-secret"), "tenant", {"openai-project": "p"})
    assert "secret" not in f"{caller!r} {caller} {caller.credential!r}"


def test_the_sdks_own_key_comes_first() -> None:
    assert Credential("key", "bearer").secret == "key"
    assert Credential(None, "bearer").secret == "bearer"
    assert (Credential().secret, bool(Credential()), bool(Credential("k"))) == ("", False, True)


@given(st.tuples(TEXTS, TEXTS, SCOPES), st.tuples(TEXTS, TEXTS, SCOPES))
def test_tenants_differ_if_any_input_differs(
    one: tuple[str, str, dict[str, str]], other: tuple[str, str, dict[str, str]]
) -> None:
    tenants = {
        tenant_of(SALT, upstream, Credential(key), scoping)
        for upstream, key, scoping in (one, other)
    }
    assert (len(tenants) == 1) == (one == other)


def test_a_tenant_depends_on_the_salt_and_not_on_the_order_of_headers() -> None:
    credential = Credential("key")
    there, back = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    assert tenant_of(SALT, "u", credential, there) == tenant_of(SALT, "u", credential, back)
    assert tenant_of(SALT, "u", credential, {}) != tenant_of(b"other", "u", credential, {})
