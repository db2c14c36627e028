import pytest

from providers.aws.folder import Folder, is_role_arn, parse_s3_uri


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("s3://bucket", Folder("bucket", "")),
        ("s3://bucket/", Folder("bucket", "")),
        ("s3://bucket/a/b(1)", Folder("bucket", "a/b(1)/")),
        ("s3://bucket/a/b/", Folder("bucket", "a/b/")),
        ("https://bucket/a", None),
    ],
)
def test_an_s3_uri_is_a_folder(uri: str, folder: Folder | None) -> None:
    assert parse_s3_uri(uri) == folder


def test_folders_in_folders() -> None:
    folder = Folder("bucket", "") / "a" / "b"
    assert folder == Folder("bucket", "a/b/")
    assert (folder.uri(), folder.uri("c")) == ("s3://bucket/a/b/", "s3://bucket/a/b/c")


@pytest.mark.parametrize(
    "uri",
    [
        "s3://a..b/x",
        "s3://10.0.0.1/x",
        "s3://bucket/../x",
        "s3://bucket/./x",
        "s3://ab",
        "S3://bucket",
        f"s3://bucket/{'x' * 1024}",
    ],
)
def test_invalid_bucket_names_and_keys(uri: str) -> None:
    assert parse_s3_uri(uri) is None


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("arn:aws:iam::123456789012:role/batch", True),
        ("arn:aws-us-gov:iam::123456789012:role/service-role/a+b=c,d.e@f_g-h", True),
        ("arn:aws:iam::12345:role/batch", False),
        ("arn:aws:iam::123456789012:user/batch", False),
        ("arn:aws:iam::123456789012:role/", False),
        ("arn:aws:iam::123456789012:role/a b", False),
        ("role/batch", False),
    ],
)
def test_role_arns(text: str, is_one: bool) -> None:
    assert is_role_arn(text) is is_one
