import pytest

from providers.aws.keys import KEY_FORMS, AwsKeys, parse_keys
from providers.credential import Credential
from providers.errors import FerryError
from providers.status import Status


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("AKIAEXAMPLE:secret", AwsKeys("AKIAEXAMPLE", "secret")),
        (
            "ASIAEXAMPLE:a/secret+key=:token/+==",
            AwsKeys("ASIAEXAMPLE", "a/secret+key=", "token/+=="),
        ),
    ],
)
def test_the_keys_are_split(key: str, keys: AwsKeys) -> None:
    assert parse_keys(Credential(api_key=key)) == keys
    assert parse_keys(Credential(bearer=key)) == keys


@pytest.mark.parametrize(
    "key",
    ["AIzaOfGemini", "AKIA:", ":secret", "AKIA:secret:", "AKIA:secret:token:more", "AK IA:secret"],
)
def test_another_form_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(FerryError, match="ACCESS_KEY_ID:SECRET_ACCESS_KEY") as refused:
        parse_keys(Credential(api_key=key))
    assert refused.value.status == Status.UNAUTHENTICATED
    assert key not in str(refused.value)


def test_temporary_keys_have_a_token() -> None:
    with pytest.raises(FerryError, match="session token") as refused:
        parse_keys(Credential(api_key="ASIAEXAMPLE:the-secret"))
    assert refused.value.status == Status.UNAUTHENTICATED
    assert "the-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("key", "is_one"),
    [
        ("AKIAEXAMPLE:secret", True),
        ("ASIAEXAMPLE:secret:token", True),
        ("ABSKabc", True),
        ("bedrock-api-key-abc", True),
        ("AKIAEXAMPLE", False),
        ("AIzaOfGemini", False),
        ("sk-ant-api:x", False),
        ("token-AKIAEXAMPLE:secret", False),
    ],
)
def test_keys_that_are_surely_awss(key: str, is_one: bool) -> None:
    assert any(known.form.fullmatch(key) for known in KEY_FORMS) is is_one


@pytest.mark.parametrize("key", ["bedrock-api-key-abc", "ABSKabc"])
def test_the_error_for_an_api_key_of_bedrock(key: str) -> None:
    with pytest.raises(FerryError, match="cannot reach S3") as refused:
        parse_keys(Credential(api_key=key))
    assert refused.value.status == Status.UNAUTHENTICATED


def test_no_part_of_them_is_shown() -> None:
    keys = AwsKeys("the-id", "the-secret", "the-token")
    assert not any(part in repr(keys) for part in keys.secrets())
    assert set(keys.secrets()) == {"the-id", "the-secret", "the-token"}
    assert set(AwsKeys("the-id", "the-secret").secrets()) == {"the-id", "the-secret"}
