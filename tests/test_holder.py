import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import LibraryError, LibraryInUseError
from rag.storage.holder import Door, find_door, hold

ROOT = Path(__file__).parents[1]
HOLD = """
import sys
from pathlib import Path
from rag.storage.holder import Door, find_door, hold
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


def test_a_door_can_be_found_while_its_holder_lives_and_by_its_owner_alone(tmp_path: Path) -> None:
    door = Door.at("0.0.0.0", 8000)
    assert door.url == "http://127.0.0.1:8000"
    assert Door.at("::", 80).url == "http://[::1]:80"
    assert Door.at("10.0.0.7", 80).url == "http://10.0.0.7:80"
    assert find_door(tmp_path) is None
    with hold(tmp_path, "dateline serve") as held:
        assert find_door(tmp_path) is None
        (tmp_path / "holder.json").chmod(0o644)
        held.announce(door)
        assert find_door(tmp_path) == door
        assert stat.S_IMODE((tmp_path / "holder.json").stat().st_mode) == 0o600
        with pytest.raises(LibraryInUseError), hold(tmp_path):
            pass
        assert find_door(tmp_path) == door
    assert find_door(tmp_path) is None
    assert sorted(path.name for path in tmp_path.iterdir()) in ([], ["lock"])


def test_no_two_doors_have_a_key_in_common_or_show_it() -> None:
    one, two = Door.at("::1", 80), Door.at("::1", 80)
    assert len(one.key) >= 32
    assert one.key != two.key
    assert one.key not in repr(one)


def test_what_a_killed_holder_said_is_said_no_more(tmp_path: Path) -> None:
    with hold(tmp_path) as held:
        held.announce(Door.at("127.0.0.1", 8000))
        stale = (tmp_path / "holder.json").read_bytes()
    (tmp_path / "holder.json").write_bytes(stale)
    (tmp_path / "holder.json.new").write_bytes(b"half of")
    with hold(tmp_path):
        assert find_door(tmp_path) is None


def test_of_a_hundred_others_each_is_refused(tmp_path: Path) -> None:
    with holding(tmp_path) as process:
        for _ in range(100):
            with pytest.raises(LibraryInUseError, match=f"process {process.pid}"), hold(tmp_path):
                pass
        process.communicate()
