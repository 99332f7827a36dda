"""How fast it is: `make bench` runs every benchmark against a sandbox and prints one JSON object.

A benchmark is one file with one function that returns figures; `BENCHMARKS` in `__main__` lists them. What is
compared is measured in the same run, the two sides taking turns, and given as a ratio of medians: the
machine's own speed cancels out. The sandbox runs in a process of its own, so that it takes no time from the
event loop of the client that is measured.
"""
