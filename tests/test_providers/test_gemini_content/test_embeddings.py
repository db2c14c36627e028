from typing import Any

import pytest

from providers.errors import FerryError
from providers.gemini_content.embeddings import EmbedSetting, embed_settings
from providers.gemini_content.normalise import normalise_embed


def _settings(**request: Any) -> dict[str, EmbedSetting]:
    content = {"parts": [{"text": "Hello"}]}
    normal = normalise_embed({"content": content} | request, "request")
    return embed_settings(normal, "request", "Elsewhere")


@pytest.mark.parametrize(
    ("fields", "settings"),
    [
        ({}, {}),
        ({"embedContentConfig": {}}, {}),
        ({"embedContentConfig": {"autoTruncate": False}}, {}),
        ({"title": "t"}, {"title": EmbedSetting("t", "request.title")}),
        (
            {"embed_content_config": {"output_dimensionality": "64", "taskType": "CLUSTERING"}},
            {
                "outputDimensionality": EmbedSetting(
                    64, "request.embedContentConfig.outputDimensionality"
                ),
                "taskType": EmbedSetting("CLUSTERING", "request.embedContentConfig.taskType"),
            },
        ),
        (
            {"outputDimensionality": 64, "embedContentConfig": {"outputDimensionality": 64}},
            {"outputDimensionality": EmbedSetting(64, "request.outputDimensionality")},
        ),
    ],
)
def test_settings(fields: dict[str, Any], settings: dict[str, EmbedSetting]) -> None:
    assert _settings(**fields) == settings


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        (
            {"taskType": "CLUSTERING", "embedContentConfig": {"taskType": "RETRIEVAL_QUERY"}},
            "taskType",
        ),
        (
            {"outputDimensionality": 64, "embedContentConfig": {"outputDimensionality": 65}},
            "outputDimensionality",
        ),
        ({"embedContentConfig": {"autoTruncate": True}}, "autoTruncate"),
        ({"embedContentConfig": {"documentOcr": True}}, "documentOcr"),
        ({"embedContentConfig": {"audioTrackExtraction": True}}, "audioTrackExtraction"),
        ({"embedContentConfig": {"mimeType": "text/plain"}}, "mimeType"),
    ],
)
def test_refused_values(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(FerryError) as refused:
        _settings(**fields)
    assert refused.value.path == f"request.embedContentConfig.{path}"
