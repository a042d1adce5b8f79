import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import LibraryError, LibraryInUseError
from rag.holder import hold

ROOT = Path(__file__).parents[1]
HOLD = """
import sys
from pathlib import Path
from rag.holder import hold
with hold(Path(sys.argv[1]), "dateline serve"):
    print("held", flush=True)
    sys.stdin.read()
"""


def holding(directory: Path) -> subprocess.Popen[str]:
    """A process that holds the directory until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_holds_the_directory(tmp_path: Path) -> None:
    with holding(tmp_path) as process:
        with pytest.raises(LibraryInUseError) as refused, hold(tmp_path):
            pass
        process.communicate()
    message = str(refused.value)
    assert str(tmp_path) in message
    assert f"`dateline serve` (process {process.pid}, since 20" in message
    assert "stop it" in message
    with hold(tmp_path):
        pass


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    with holding(tmp_path) as process:
        process.kill()
    with hold(tmp_path):
        pass


def test_a_process_cannot_open_a_directory_twice(tmp_path: Path) -> None:
    with hold(tmp_path):
        with pytest.raises(LibraryInUseError, match="open already in this process"), hold(tmp_path):
            pass
        with pytest.raises(LibraryInUseError), hold(tmp_path):  # nor did the first try let go
            pass
    with hold(tmp_path):
        pass


def test_a_holder_that_has_not_said_who_it_is_still_holds(tmp_path: Path) -> None:
    with hold(tmp_path):
        for content in ("", "[]", "{}"):
            (tmp_path / "holder.json").write_text(content)
            with pytest.raises(LibraryInUseError, match="another process"), hold(tmp_path):
                pass


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match=r"file.*DATELINE_DATA_DIR"), hold(tmp_path / "file"):
        pass


def test_errors_of_the_block_pass_through_and_let_go(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="own"), hold(tmp_path / "new" / "data"):
        raise TimeoutError("own")
    with hold(tmp_path / "new" / "data"):
        pass
