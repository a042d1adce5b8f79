import threading

import pytest

from rag.processor import all_threads, one_thread

pytestmark = pytest.mark.slow  # imports torch


@pytest.fixture
def usual() -> int:
    import torch

    return torch.get_num_threads()


def test_few_texts_run_on_one_thread_and_what_follows_on_all_again(usual: int):
    import torch

    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == usual
    with all_threads():
        assert torch.get_num_threads() == usual


def test_many_texts_run_on_all_threads_while_few_do_on_one(usual: int):
    import torch

    seen = []

    def many() -> None:
        with all_threads():
            seen.append(torch.get_num_threads())
        seen.append(torch.get_num_threads())

    with one_thread():
        beside = threading.Thread(target=many)
        beside.start()
        beside.join()
        assert torch.get_num_threads() == 1
    assert seen == [usual, usual]
