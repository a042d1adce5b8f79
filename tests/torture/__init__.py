"""SIGKILL, again and again: what is lost, torn, stale or in need of a hand is counted.

`python -m tests.torture --count 1000` (`make torture`); `--target chroma` shows that the same
harness finds what bare Chroma loses, `--defect` that it finds defects of ours.
"""
