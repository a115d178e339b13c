"""`python -m benchmarks.peers setup [NAME…]` makes the peers' environments and prints versions;
`python -m benchmarks.peers versions` prints them alone."""

from __future__ import annotations

import argparse
import sys

from benchmarks.peers.environments import ENVIRONMENTS, NotToBeHad


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("setup", "versions"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ENVIRONMENTS))
    options = parser.parse_args()
    if unknown := set(options.names) - set(ENVIRONMENTS):
        sys.exit(f"no such peer: {', '.join(sorted(unknown))}; known: {', '.join(ENVIRONMENTS)}")
    for name in options.names or ENVIRONMENTS:
        environment = ENVIRONMENTS[name]
        try:
            if options.what == "setup":
                environment.setup()
            environment.command()
            print(f"{name:20} {environment.what} {environment.version()}", flush=True)
        except NotToBeHad as error:
            print(f"{name:20} not to be had: {error}", flush=True)


if __name__ == "__main__":
    main()
