"""Kill, look, and go on: lives of a target, each ended by SIGKILL, and what each left."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from tests.torture import bare, library
from tests.torture.forks import Killed, Point, Tell, killed, points, reported
from tests.torture.library import State

TARGETS: dict[str, ModuleType] = {"dateline": library, "chroma": bare}
DEFECTS = ("early", "torn", "in place")
KILLS_OF_A_DIRECTORY = 20
HUNG_S = 600.0  # also on a machine that has much else to do

At = tuple[Point, int] | None
"""Where a life is to end: at a point, the nth time that it comes there; None is at any moment."""


@dataclass(frozen=True)
class Fault:
    """Something that a kill left as it should not be, and how to have it again."""

    what: str
    kind: str
    seed: int
    at: At


@dataclass
class Result:
    """What the kills did."""

    kills: Counter[str] = field(default_factory=Counter)  # by kind
    at_points: set[tuple[str, Point]] = field(default_factory=set)
    points: int = 0  # that there are
    survived: int = 0  # lives that ended before they were killed
    faults: list[Fault] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class _Plan:
    """How lives of one kind are killed: at each of their crash points in random order, and between
    these, if `anytime`, at any moment of their length."""

    length: float
    points: Counter[Point]
    picks: random.Random
    anytime: bool
    _coming: list[Point] = field(default_factory=list)
    _turn: int = 0

    def next(self) -> tuple[float, At]:
        """After so many seconds, or at that point the nth time."""
        self._turn += 1
        if not self.points or (self.anytime and self._turn % 2):
            return self.picks.uniform(0, 1.1 * self.length), None
        if not self._coming:
            self._coming = sorted(self.points)
            self.picks.shuffle(self._coming)
        point = self._coming.pop()
        return HUNG_S, (point, self.picks.randint(1, min(self.points[point], 12)))


class Torture:
    """Kills of one target, in data directories that go through several each."""

    def __init__(
        self,
        target: str,
        folder: Path,
        *,
        kinds: Sequence[str] = (),
        seed: int = 1,
        defect: str = "",
        near: str = "",
        first: bool = False,
    ) -> None:
        """With `near`, kills only at the crash points that have this in their names; with `first`,
        no more after the first fault."""
        self.result = Result()
        self._module = TARGETS[target]
        self._kinds = kinds or self._module.KINDS
        self._folder = folder
        self._defect = defect
        self._near = near
        self._first = first
        self._picks = random.Random(seed)
        self._plans = {kind: self._rehearsed(kind) for kind in self._kinds}
        self.result.points = sum(len(plan.points) for plan in self._plans.values())

    def run(self, count: int, tell: Callable[[Result], None] = lambda _: None) -> Result:
        """Kill so many times."""
        began, kills = time.monotonic(), self.result.kills
        number = 0
        while kills.total() < count and not (self._first and self.result.faults):
            data, state = self._fresh(f"data{number}"), State()
            for _ in range(KILLS_OF_A_DIRECTORY):
                faults = self._kill(data, state)
                self.result.faults += faults
                self.result.seconds = time.monotonic() - began
                tell(self.result)
                if faults or kills.total() >= count:
                    break
            number += 1
            shutil.rmtree(data.parent)
        return self.result

    def _rehearsed(self, kind: str) -> _Plan:
        """How long a life is, and what it comes to, over a library that one wrote before."""
        data, state = self._fresh("rehearsal"), State()
        state.follow(self._life("write", data, state, 1, HUNG_S, None).told)
        began = time.monotonic()
        life = self._life(kind, data, state, 2, HUNG_S, None)
        length = time.monotonic() - began
        assert not life.by_kill, life
        assert not life.error, life
        state.follow(life.told)
        seen: Counter[Point] = Counter()
        if self._module is library:
            seen = points(lambda tell: library.live(kind, data, state, 3, tell), HUNG_S)
        seen = Counter({point: seen[point] for point in seen if self._near in point})
        return _Plan(length, seen, self._picks, not self._near)

    def _life(self, kind: str, data: Path, state: State, seed: int, after: float, at: At) -> Killed:
        def work(tell: Tell) -> None:
            told = library.plant(self._defect, tell)
            self._module.live(kind, data, state, seed, told)

        return killed(work, after=after, at=at)

    def _kill(self, data: Path, state: State) -> list[Fault]:
        kind, seed = self._picks.choice(self._kinds), self._picks.getrandbits(32)
        after, at = self._plans[kind].next()
        life = self._life(kind, data, state, seed, after, at)
        state.follow([one for one in life.told if "error" not in one])
        if life.by_kill:
            self.result.kills[kind] += 1
            self.result.at_points.update([(kind, at[0])] if at else [])
        else:
            self.result.survived += 1
        left = reported(lambda: self._look(data, state), HUNG_S)
        if isinstance(left, str):
            return [Fault(left, kind, seed, at)]
        state.settle({**left, "versions": dict.fromkeys(state.versions) | left["versions"]})
        told = [life.error] if life.error else []
        return [Fault(what, kind, seed, at) for what in [*told, *left["faults"]]]

    def _look(self, data: Path, state: State) -> object:
        library.plant(self._defect, lambda _: None)
        return self._module.check(data, state)

    def _fresh(self, name: str) -> Path:
        folder = self._folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder / "data"
