"""So many tasks that compute and write what they found, as Luigi does it: its own scheduler, one worker."""

import os
import sys

import luigi
from fib import fib

count, n = int(sys.argv[1]), int(sys.argv[2])


class Task(luigi.Task):
    key = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(f"values/{self.key}.json")

    def run(self):
        with self.output().open("w") as file:
            file.write(f"{fib(n)}\n")


if __name__ == "__main__":
    assert luigi.build([Task(key=at) for at in range(count)], local_scheduler=True, log_level="WARNING")
    assert len(os.listdir("values")) == count
