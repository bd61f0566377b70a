"""So many tasks that each write one small value, as Luigi does it: its own scheduler, one worker."""

import os
import sys

import luigi


class Record(luigi.Task):
    key = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget(f"values/{self.key}.json")

    def run(self):
        with self.output().open("w") as file:
            file.write(f'"value of {self.key}"\n')


if __name__ == "__main__":
    count = int(sys.argv[1])
    tasks = [Record(key=f"key-{at:07}") for at in range(1, count + 1)]
    assert luigi.build(tasks, local_scheduler=True, log_level="WARNING")
    assert len(os.listdir("values")) == count
