"""What the program achieves and costs, measured from outside as its users meet it.

    python -m benchmarks run FILM:TRUTH ...          ours and every rival on the same tracks
    python -m benchmarks run --dataset NAME=FOLDER   likewise, on a data set of the field
    python -m benchmarks report RUN:TRUTH            docs/results.md, of what `run` wrote
    python -m benchmarks ablation FILM:TRUTH ...     what each part of the method gives
    python -m benchmarks bases FILM:TRUTH ...        what tuning gives to each base network
    python -m benchmarks films FILM:TRUTH ...        how well, how fast, how large
    python -m benchmarks repeat FILM                 the same again, and nothing twice
    python -m benchmarks tracking FILM:TRUTH ...     one person a track, beside BoT-SORT
    python -m benchmarks confidence RUN:TRUTH ...    how well the confidence holds
    python -m benchmarks backbones FILM              every backbone goes through a whole run
    python -m benchmarks join NAME --sources DIR     a film of `truth/`, of its public parts

Each but `report` and `join` writes a file in `benchmarks/results/`: versions, settings and machine,
and rows of `name`, `value`, `unit`, `goal` and whether the goal holds (null where there is none).
No path is in it.
"""
