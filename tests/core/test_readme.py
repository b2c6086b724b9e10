"""What the README says is so: its commands, its programs, its table."""

import configparser
import os
import re

import readme

SH = readme.code_blocks("sh")


def test_the_first_two_blocks_are_one_command_each():
    """A newcomer copies one line to run the main job, and one to pass the tests; neither needs the other."""
    text = readme.read()
    assert re.findall(r"^```(\w+)$", text, re.MULTILINE)[:2] == ["sh", "sh"]
    main_job, tests = SH[:2]
    for command in (main_job, tests):
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install -q -e '.[tensorflow,test]' && ")
    assert main_job.rstrip().endswith("examples/train_digits.py")
    assert tests.rstrip().endswith("-m pytest -n auto")


def test_the_extras_of_the_commands_exist():
    """The commands install extras that setup.cfg has."""
    config = configparser.ConfigParser()
    config.read(os.path.join(readme.ROOT, "setup.cfg"), encoding="utf-8")
    assert {"tensorflow", "test", "dev"} <= set(config["options.extras_require"])


def test_each_shown_program_is_an_example():
    """A program in the README is, line for line, a file of examples/."""
    programs = readme.shown_programs()
    assert list(programs) == ["examples/two_writers.py"]
    assert programs == {name: readme.source(name) for name in programs}
    assert readme.code_blocks("python") == list(programs.values())


def test_each_example_is_to_be_found():
    """Each example is named in the README or on a page of docs/, and each one shown exists."""
    docs = os.path.join(readme.ROOT, "docs")
    text = readme.read()
    for page in os.listdir(docs):
        if page.endswith(".md"):
            with open(os.path.join(docs, page), encoding="utf-8") as file:
                text += file.read()
    examples = [name for name in os.listdir(os.path.join(readme.ROOT, "examples")) if name.endswith(".py")]
    assert [name for name in examples if f"examples/{name}" not in text] == []
    assert {name.partition("/")[2] for name in readme.shown_outputs()} <= set(examples)


def test_the_table_is_made_from_the_catalogue():
    """The README's table of codes is the catalogue's, with links to the page."""
    assert readme.shown_table() == readme.table("docs/codes.md"), "run: python tests/support/readme.py"


def test_each_file_it_links_to_exists():
    """A link to a file of the project leads somewhere."""
    links = set(re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", readme.read()))
    assert links
    assert [link for link in links if not os.path.exists(os.path.join(readme.ROOT, link))] == []


def test_the_versions_are_those_of_the_package():
    """The Python and TensorFlow versions named are those of the metadata."""
    config = configparser.ConfigParser()
    config.read(os.path.join(readme.ROOT, "setup.cfg"), encoding="utf-8")
    pythons = re.findall(r":: (3\.\d+)$", config["metadata"]["classifiers"], re.MULTILINE)
    tensorflow = re.search(r"tensorflow >= (\S+), < 2\.(\d+)", config["options.extras_require"]["tensorflow"])
    text = readme.read()
    assert f"| Python | {pythons[0]} to {pythons[-1]} |" in text
    assert f"| TensorFlow | {tensorflow[1]} to 2.{int(tensorflow[2]) - 1}," in text
