"""What the documents tell a reader to type exists, and so does what they link to."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnnkit.__main__ import parser

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "book").glob("*.md"))]

FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PLACEHOLDER = re.compile(r"[A-Z]+")


def commands(text: str) -> Iterator[list[str]]:
    """What stands in shell blocks and between backticks, as words; comments and settings in front are left out."""
    blocks = [body for language, body in FENCE.findall(text) if language in ("sh", "bash")]
    lines = [line for block in blocks for line in block.splitlines()]
    for line in lines + CODE.findall(FENCE.sub("", text)):
        try:
            words = shlex.split(" ".join(line.split()), comments=True)
        except ValueError:
            continue  # prose between two backticks, with an apostrophe
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words:
            yield words


def named(program: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """Every command that the documents give of a program: the document's name, and the words after the program."""
    found = []
    for path in DOCUMENTS:
        for words in commands(path.read_text(encoding="utf-8")):
            for start in range(len(words)):
                if tuple(words[start : start + len(program)]) == program:
                    found.append((path.name, words[start + len(program) :]))
    return found


def make_rules() -> tuple[set[str], set[str], set[str]]:
    """Targets of the Makefile, stems of its pattern targets, and the settings it takes."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w%-]*):(?!=)", text, re.MULTILINE))
    settings = re.search(r"^SETTINGS := (.*)$", text, re.MULTILINE)
    assert settings
    stems = {target.removesuffix("%") for target in targets if target.endswith("%")}
    return targets, stems, set(settings[1].split())


def test_every_make_command_in_the_documents_exists():
    targets, stems, settings = make_rules()
    given = named(("make",))
    wrong = []
    for document, words in given:
        for word in words:
            name, is_setting, _ = word.partition("=")
            chapter = next((name.removeprefix(stem) for stem in stems if name.startswith(stem)), "")
            known = PLACEHOLDER.fullmatch(chapter) or (ROOT / "book" / chapter).is_dir()
            if not (name in settings if is_setting else name in targets or (chapter and known)):
                wrong.append(f"{document}: make {' '.join(words)}")
    assert {"book", "test", "serve", "clean", "chapter-geometry"} <= {words[0] for _, words in given}
    assert not wrong


def options(command: argparse.ArgumentParser) -> set[str]:
    """The options of a command, with those of its actions."""
    own = {option for action in command._actions for option in action.option_strings}
    below = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    return own.union(*(options(inner) for action in below for inner in action.choices.values()))


def test_every_rnnkit_command_in_the_documents_is_understood():
    top = parser()
    subparsers = next(a for a in top._actions if isinstance(a, argparse._SubParsersAction))
    given = named(("-m", "rnnkit"))
    for document, words in given:
        if not words or words == ["--help"]:
            continue  # the program by its name alone
        said = f"{document}: python -m rnnkit {' '.join(words)}"
        assert words[0] in subparsers.choices, said
        command = subparsers.choices[words[0]]
        assert {word for word in words if word.startswith("--")} <= options(command), said
        if len(words) > 1 and not any("|" in word for word in words):
            try:
                top.parse_args(words)
            except SystemExit:
                pytest.fail(f"not understood: {said}")
    assert set(subparsers.choices) <= {words[0] for _, words in given if words}


def test_every_long_option_in_the_documents_is_one_of_rnnkit():
    subparsers = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    known = set().union(*map(options, subparsers.choices.values()))
    text = (ROOT / "book" / "reproduce.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(--[a-z-]+)", text)) <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_lead_somewhere(path):
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    targets = [target.partition("#")[0] for target in LINK.findall(text) if ":" not in target]
    missing = [target for target in targets if target and not (path.parent / target).exists()]
    assert not missing


def test_the_book_cites_only_what_its_bibliography_has():
    known = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "book/references.bib").read_text("utf-8"), re.MULTILINE))
    pages = [*(ROOT / "book").glob("*.md"), *(ROOT / "book").glob("[a-z]*/*.ipynb")]
    for page in pages:
        keys = re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", page.read_text(encoding="utf-8"))
        cited = {key.strip() for group in keys for key in group.split(",")}
        assert cited <= known, page.name


def test_the_reader_of_documents_finds_what_is_wrong():
    text = "Run `make bok`:\n\n```sh\nX=1 make chapter-geometry  # make tea\n```\n\n```python\nmake(1)\n```\n"
    assert list(commands(text)) == [["make", "chapter-geometry"], ["make", "bok"]]
