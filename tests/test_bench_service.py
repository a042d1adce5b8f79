import asyncio
import json
import subprocess
import sys

import httpx
import pytest

from evals.bench_replies import Reply, decided_at
from evals.bench_service import Figure, beyond_source, first_sentence, slope
from evals.scripted_llm import Script, ScriptedLLM
from evals.serving import Heard, started
from tests.processes import ROOT

REPLY = Reply("q", ("Rain fell on Tuesday. [A1]", "It was cold. [A1]"), 0.5)


def heard(**answer: object) -> Heard:
    events = [("start", 11.0), ("passages", 12.0), ("sentence", 18.0)]
    return Heard(10.0, events, {"fallback": None, "timings_ms": {"retrieve": 2000}, **answer})


def test_an_answer_that_is_not_the_llms_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="llm_unavailable"):
        first_sentence(heard(fallback="llm_unavailable"), 13.0, 14.0, REPLY)


def test_an_answer_that_broke_off_has_failed() -> None:
    assert Heard(10.0).failed
    assert not heard().failed


def test_the_parts_of_the_time_to_the_first_sentence_add_up_to_it() -> None:
    parts = first_sentence(heard(), asked=14.0, sent=16.0, reply=REPLY)
    assert parts == [2.0, 2.0, 0.5, 1.0, 1.0, 1.5]
    assert sum(parts) == 18.0 - 10.0


def test_a_sentence_is_whole_with_the_piece_that_shows_that_it_has_ended() -> None:
    pieces = REPLY.pieces()
    assert "".join(pieces) == " ".join(REPLY.sentences)
    assert max(len(piece.strip()) for piece in pieces) <= 5
    first, last = decided_at(pieces)
    assert "".join(pieces[:first]).endswith("[A1]")
    assert last == len(pieces) - 1


def test_gaps_are_told_beyond_those_of_the_source() -> None:
    came, lost = [5.0, 6.5, 7.0], [5.0, 9.0]
    assert list(beyond_source([came, lost], [[0.0, 1.0, 2.0]] * 2)) == [0.5, -0.5]


def test_the_slope_is_that_of_the_line_through_the_points() -> None:
    assert slope([(0, 10.0), (500, 11.0), (1000, 12.0)]) * 1000 == pytest.approx(2.0)


def test_a_bound_holds_for_what_the_service_adds() -> None:
    line = Figure("gap", "ms", 120.0, 30.0, bound=100).line()
    assert "90.00" in line
    assert line.endswith("≤ 100: holds")
    assert Figure("gap", "ms", 131.0, 30.0, bound=100).line().endswith("BROKEN")
    assert "≤" not in Figure("gap", "ms", 131.0).line()


async def test_the_scripted_llm_replies_by_question_once_all_are_there_and_notes_when() -> None:
    llm = ScriptedLLM()
    transport = httpx.ASGITransport(llm.application())
    async with httpx.AsyncClient(transport=transport, base_url="http://llm") as client:
        script = Script({"Who?": ["no", "ne"], "What?": ["some"]}, together=2)
        await client.put("/script", json=script.json())

        async def ask(question: str) -> str:
            body = {"messages": [{"role": "user", "content": f"Passages. {question}"}]}
            return (await client.post("/v1/chat/completions", json=body)).text

        alone = asyncio.create_task(ask("What?"))
        while not llm.said:
            await asyncio.sleep(0)
        assert llm.said[0].sent == []
        second = await ask("Who?")
        assert "ne" in second
        assert '"prompt_tokens": 2' in second
        assert "some" in await alone
        said = (await client.get("/said")).json()
    assert [len(one["sent"]) for one in said] == [1, 2]
    assert said[1]["asked"] <= said[1]["sent"][0]


async def test_a_server_that_does_not_start_is_told_with_what_it_said() -> None:
    with pytest.raises(RuntimeError, match="No module named"):
        async with started("no_such_module_of_ours"):
            pass


@pytest.mark.slow
def test_every_part_is_measured_over_sockets() -> None:
    small = "--questions 1 --streams 2 --pace 100 --requests 6 --json".split()
    done = subprocess.run(
        [sys.executable, "-m", "evals.bench_service", *small],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = {one["name"]: one for one in json.loads(done.stdout)["figures"]}
    assert figures["2 streams: errors"]["ours"] == 0
    assert figures["2 streams: sentences that did not come"]["ours"] == 0
    assert figures["tracebacks in the log"]["ours"] == 0
    for part in ("first sentence", "CPU of a streamed token", "memory of 1,000 requests"):
        assert any(name.startswith(part) for name in figures), part
