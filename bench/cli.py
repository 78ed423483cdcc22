"""What the scripts of bench share on their command lines, and how they end."""

import signal
import sys

from measure import Failed, say


def add_arguments(parser, rounds):
    parser.add_argument("--rounds", type=int, default=rounds, help=f"rounds of each comparison (default {rounds})")
    parser.add_argument("--minutes", type=float, default=0,
                        help="begin no further round after this many minutes; what is complete counts")
    parser.add_argument("--write", action="store_true", help="write bench/results/<name>-<date>.md, renewed each round")
    parser.add_argument("--tiny", action="store_true", help="a thousandth of the rows: tries the script out, shows nothing")


def run(main):
    """Ctrl-C and SIGTERM unwind: contenders are ended, the server is stopped, what is complete has been written."""
    def stop(number, _frame):
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    try:
        main()
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(130)
    except Failed as failure:
        sys.exit(str(failure))
