from hypothesis import given
from hypothesis import strategies as st

from providers.body import Body, in_memory
from providers.json_api.multipart import form_with_file
from tests.fakes.multipart import MultipartReader, boundary_of, split_header
from tests.test_providers.streams import CUTS, collect, cut, stream

# Names come from `native_file_name`, which leaves neither control characters nor backslashes.
NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\"),
    min_size=1,
    max_size=12,
)


@given(st.binary(max_size=200), CUTS, NAMES)
async def test_a_form_is_read_back_correctly(data: bytes, cuts: list[int], name: str) -> None:
    content = Body(stream(cut(data, cuts)), len(data))
    content_type, form = form_with_file({"purpose": "batch"}, "file", name, "text/x", content)
    sent = await collect(aiter(form.chunks))
    assert form.length == len(sent)
    boundary = boundary_of(content_type, "multipart/form-data")
    found = []
    async for part in MultipartReader(stream([sent]), boundary).parts():
        _, parameters = split_header(part.headers["content-disposition"])
        found.append((parameters["name"], parameters.get("filename"), await collect(part.body)))
    quoted = name.replace('"', "%22")
    assert found == [("purpose", None, b"batch"), ("file", quoted, data)]


async def test_a_name_cannot_end_its_header() -> None:
    _, form = form_with_file({}, "file", 'a"\r\nX-Injected: 1\r\n\r\n', "text/x", in_memory(b""))
    sent = await collect(aiter(form.chunks))
    assert b'filename="a%22%0D%0AX-Injected: 1%0D%0A%0D%0A"' in sent


def test_the_length_is_unknown_if_that_of_the_file_is() -> None:
    assert form_with_file({}, "file", "a", "text/x", Body(stream([]), None))[1].length is None


def test_each_boundary_is_different() -> None:
    types = {form_with_file({}, "file", "a", "text/x", in_memory(b""))[0] for _ in range(3)}
    assert len(types) == 3
