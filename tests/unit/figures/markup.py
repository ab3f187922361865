"""What the tests of the players look for in their markup."""

from __future__ import annotations

import html.parser
import json

import pytest

HOSTILE = '</script><img src=x onerror="alert(1)"> & \u2028'


def data_of(markup):
    """JSON that a page's script finds in the markup, as an HTML parser sees it."""

    class Scripts(html.parser.HTMLParser):
        found = ""
        tags: tuple = ()

        def handle_starttag(self, tag, attrs):
            self.tags = (*self.tags, (tag, dict(attrs)))
            self.inside = tag == "script"

        def handle_endtag(self, tag):
            self.inside = False

        def handle_data(self, text):
            self.found += text if getattr(self, "inside", False) else ""

    parser = Scripts()
    parser.feed(markup)
    return json.loads(parser.found, parse_constant=pytest.fail), parser.tags


def require_labelled(markup):
    """Require that ids are unique, and that labels and descriptions lead to one."""
    _, tags = data_of(markup)
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in tags:
        for pointer in ("for", "aria-describedby"):
            assert set(attributes.get(pointer, "").split()) <= set(ids)


def require_inert(markup, hostile_labels):
    """Require one script, no element that a label smuggled in, and the hostile text where it stands for a name."""
    data, tags = data_of(markup)
    names = [name for name, _ in tags]
    assert names.count("script") == 1
    assert "img" not in names
    assert hostile_labels(data) == {HOSTILE}
