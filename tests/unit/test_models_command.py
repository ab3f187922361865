"""``python -m rnnkit models``: every model with its number of parameters."""

from __future__ import annotations

import json

from rnnkit.__main__ import main
from rnnkit.models import ARCHITECTURES, TITLES, make_classifier


def test_the_list_holds_every_model_with_its_total(capsys):
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(ARCHITECTURES)
    for line, name in zip(lines, ARCHITECTURES, strict=True):
        assert line.startswith(name)
        assert TITLES[name] in line
        assert f"{make_classifier(name).num_parameters:,} parameters" in line


def test_json_says_the_same_to_programs(capsys):
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"]: row["parameters"] for row in rows} == {
        name: make_classifier(name).num_parameters for name in ARCHITECTURES
    }
