"""The training loss as a distance between clusters, exactly, from sums that add.

The loss of a pair (i, j) is -P_i . Q_j, with the probabilities P of the teacher's side and the
log-probabilities Q of the student's (both from the student with its head: paper). So the mean over
the pairs of two groups is minus the product of their mean P and mean Q, and the mean over the pairs
of different crops of one group needs just n, sum P, sum Q and sum P_i . Q_i.
"""

from __future__ import annotations

import numpy as np

from videoclusternet.records import Array


def pair_limit(count: Array, p: Array, q: Array, own: Array) -> Array:
    """Return the mean loss over all pairs of different crops in each cluster, (clusters,).

    From the cluster's number of crops (clusters,), its sums of P and Q (clusters, k) and of
    P_i . Q_i (clusters,). It is the threshold that the cluster sets for itself (paper). A cluster
    with a single crop has no pair: its limit is minus infinity, which nothing is below.
    """
    pairs = count * (count - 1.0)
    total = own - np.einsum("ck,ck->c", p, q)
    return np.where(pairs > 0, total / np.maximum(pairs, 1.0), -np.inf)


def loss_between(p: Array, q: Array) -> Array:
    """Return the loss between clusters, both directions averaged, (clusters, clusters).

    From the mean P and mean Q (clusters, k) of what each cluster brings.
    """
    one_way = p @ q.T
    return -(one_way + one_way.T) / 2
