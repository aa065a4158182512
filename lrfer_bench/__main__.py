"""python -m lrfer_bench"""

from lrfer_bench.cli import main

if __name__ == "__main__":
    main()
