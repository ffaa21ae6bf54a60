"""What the program achieves and costs, measured from outside as its users meet it.

    python -m benchmarks films FILM:TRUTH ... --seeds 0 1 2    how well, how fast, how large
    python -m benchmarks repeat FILM                           the same again, and nothing twice
    python -m benchmarks ablation FILM:TRUTH ...               what each part of the method gives
    python -m benchmarks tracking FILM:TRUTH ...               one person a track, beside BoT-SORT

Each writes a file in `benchmarks/results/`: versions, settings and machine, and rows of `name`,
`value`, `unit`, `goal` and whether the goal holds (null where there is none). No path is in it.
"""
