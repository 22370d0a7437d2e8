"""`make test-faults`: some hundred visits, some hundred faults, real processes; then every promise is checked."""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile

from tests.faults.breaks import NAMES

ENGINES = ("sqlite", "postgresql")


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parsed_options()
    engines = ENGINES if options.engine == "both" else (options.engine,)
    print(f"Seed {options.seed}, {options.faults} faults on each of: {', '.join(engines)}", flush=True)
    # Side by side: much of a run is waiting. Each engine's figures are printed in one piece.
    runs = {engine: started(engine, options) for engine in engines}
    try:
        failed = [engine for engine, (run, output) in runs.items() if not is_passed(engine, run, output)]
    finally:
        for run, _ in runs.values():
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGINT)  # as Ctrl-C does, so that it stops what it has started
                run.wait(20)
    for engine in failed:
        print(f"FAILED on {engine}. Again: make test-faults ARGS='--engine {engine} --seed {options.seed}'")
    return 1 if failed else 0


def is_passed(engine: str, run: subprocess.Popen, output) -> bool:
    passed = run.wait() == 0
    output.seek(0)
    print(f"\n== {engine} ==\n{output.read()}", flush=True)
    return passed


def parsed_options():
    parser = argparse.ArgumentParser(prog="tests.faults", description=__doc__)
    parser.add_argument("--engine", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--faults", type=int, default=240, help="per engine")
    parser.add_argument(
        "--changes",
        type=int,
        default=6,
        help="of the clocks, spread over the year",
    )
    parser.add_argument("--break", dest="defect", choices=NAMES, default="", help="put a defect in: the run must fail")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and journals")
    return parser.parse_args()


def started(engine: str, options):
    command = [sys.executable, "-m", "tests.faults.run", f"--seed={options.seed}", f"--faults={options.faults}"]
    command.append(f"--changes={options.changes}")
    command += [f"--break={options.defect}"] if options.defect else []
    command += ["--keep"] if options.keep else []
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    if engine == "sqlite":
        env["DATABASE_URL"] = "sqlite"  # a file in the run's folder
    else:
        command = [sys.executable, "-m", "tests.servers", *command]
    output = tempfile.TemporaryFile("w+")  # noqa: SIM115  read when the run is over
    return subprocess.Popen(command, env=env, stdout=output, start_new_session=True), output


if __name__ == "__main__":
    sys.exit(main())
