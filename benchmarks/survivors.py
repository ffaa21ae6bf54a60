# ruff: noqa: E501  # a table of names
"""Why the mutants that no test notices are no faults: a reason, and whom it excuses.

They are called by module, function and the lines as they are then, wherever those move to.
"""

from __future__ import annotations

SURVIVORS: dict[str, tuple[str, ...]] = {
    "float64 is what None stands for.": (
        "distance.Sides.of: return cls(*(x if x.dtype == np.int64 else x.astype(None) for x in rows))",
        "matching.match_tracks: points = embeddings.reshape(-1, embeddings.shape[2]).astype(None)",
        "matching._plane: return plane.astype(None)",
    ),
    "einsum takes any letters.": (
        'distance.pair_limit: total = own - np.einsum("CK,CK->C", p, q)',
    ),
    "Ordered pairs of crops are none, or two and more.": (
        "distance.pair_limit: limit: Array = np.where(pairs > 1, total / np.maximum(pairs, 1.0), -np.inf)",
        "distance.pair_limit: limit: Array = np.where(pairs > 0, total / np.maximum(pairs, 2.0), -np.inf)",
    ),
    "How much is held at a time changes no result.": (
        "distance.blocks: rows = max(2, BLOCK // max(1, len(p)))",
        "distance.blocks: rows = max(1, BLOCK // max(2, len(p)))",
        "matching._inside: rows = max(2, BLOCK // len(means))",
        "distance: BLOCK = 0 << 24",
        "distance: BLOCK = 2 << 24",
        "distance: BLOCK = 1 << 23",
        "distance: BLOCK = 1 << 25",
        "matching: BLOCK = 0 << 24",
        "matching: BLOCK = 2 << 24",
        "matching: BLOCK = 1 << 23",
        "matching: BLOCK = 1 << 25",
    ),
    "What is zipped is always equally long; `strict` says so.": (
        "merge._Links.and_also: return _Links(*map(np.concatenate, zip(self, (left, right, loss), strict=None)))",
        "merge._Links.and_also: return _Links(*map(np.concatenate, zip(self, (left, right, loss), )))",
        "merge._Links.and_also: return _Links(*map(np.concatenate, zip(self, (left, right, loss), strict=False)))",
        "merge._explain: for a, b, loss in zip(*(column[order].tolist() for column in links), strict=None)",
        "merge._explain: for a, b, loss in zip(*(column[order].tolist() for column in links), )",
        "merge._explain: for a, b, loss in zip(*(column[order].tolist() for column in links), strict=False)",
        "matching._inside: [_threshold(own[start : start + size]) for start, size in zip(starts, sizes, strict=None)]",
        "matching._inside: [_threshold(own[start : start + size]) for start, size in zip(starts, sizes, )]",
        "matching._inside: [_threshold(own[start : start + size]) for start, size in zip(starts, sizes, strict=False)]",
        "matching.obey: for left, right in zip(label[said.left].tolist(), label[said.right].tolist(), strict=None):",
        "matching.obey: for left, right in zip(label[said.left].tolist(), label[said.right].tolist(), ):",
        "matching.obey: for left, right in zip(label[said.left].tolist(), label[said.right].tolist(), strict=False):",
    ),
    "A tree of links is the same whatever is added to all; losses are not negative, so none is 0.": (
        "merge._Links.spanning: tree = minimum_spanning_tree(self.graph(clusters, self.loss + self.loss.min() + 1.0))",
        "merge._Links.spanning: tree = minimum_spanning_tree(self.graph(clusters, self.loss - self.loss.min() + 2.0))",
    ),
    "NumPy keeps the order of equals here in any case; it promises it for 'stable' alone.": (
        "merge._Apart.allowed: for n in np.argsort(links.loss, kind=None):",
        "merge._Apart.allowed: for n in np.argsort(links.loss, ):",
    ),
    "NumPy takes names of sorts in any case.": (
        'merge._Apart.allowed: for n in np.argsort(links.loss, kind="STABLE"):',
    ),
    "No tree holds the link of a cluster to itself.": (
        "merge._below_limits: left, right = np.nonzero(np.triu(loss < decides(own, others), ))",
    ),
    "None is NaN in an array of floats, which sorts last and is below nothing, as infinity is.": (
        "merge._nearest_by_far: loss[rows, start + rows] = None",
        "merge._nearest_by_far: loss[one[here] - start, other[here]] = None",
    ),
    "The last axis is the default.": (
        "merge._nearest_by_far: nearest, second = np.partition(loss, 1, )[:, :2].T",
    ),
    "NumPy puts more than two in order where it is asked for few.": (
        "merge._nearest_by_far: nearest, second = np.partition(loss, 2, axis=1)[:, :2].T",
    ),
    "No cluster is its own nearest.": (
        "merge._nearest_by_far: kept = mutual & several & (found.left <= found.right)",
    ),
    "What is joined weakly is joined, whichever way the links go.": (
        "merge._joined: links.graph(clusters, np.ones(len(links.loss))), directed=None",
        "merge._joined: links.graph(clusters, np.ones(len(links.loss))), )[1]",
        "merge._joined: links.graph(clusters, np.ones(len(links.loss))), directed=True",
        "matching.match_tracks: group = connected_components(inside & inside.T, directed=None)[1]",
        "matching.match_tracks: group = connected_components(inside & inside.T, )[1]",
        "matching.match_tracks: group = connected_components(inside & inside.T, directed=True)[1]",
    ),
    "Nothing is drawn without a t-SNE, and with one the seed is given.": (
        "matching.match_tracks: def (embeddings: Array, counts: Array, *, tsne: bool = False, seed: int = 1) -> Array:",
    ),
    "Any negative number will do.": (
        "matching.match_tracks: points = embeddings.reshape(-2, embeddings.shape[2]).astype(np.float64)",
        "matching.obey: label = np.where(counts > 0, said.together(), -2)",
        "metrics.score: predicted[unknown] = -2 - np.arange(np.count_nonzero(unknown))",
        "metrics.pooled: labels.append(np.where(label < 0, -2, label + first))",
    ),
    "A t-SNE from a PCA draws nothing in this scikit-learn; others may.": (
        "matching.match_tracks: points = _plane(points, None) if tsne else _principal(points, track)",
        'matching._plane: plane = TSNE(2, perplexity=neighbours, init="pca", random_state=None).fit_transform(points)',
        'matching._plane: plane = TSNE(2, perplexity=neighbours, init="pca", ).fit_transform(points)',
    ),
    "Fitting again what was found again finds the same: it takes longer.": (
        "matching.match_tracks: before = None",
        "matching.match_tracks: if np.array_equal(None, before):",
        "matching.match_tracks: if np.array_equal(group, None):",
    ),
    "None is False in an array of bool.": (
        "matching.match_tracks: np.fill_diagonal(inside, None)",
        "matching.obey: np.fill_diagonal(matches, None)",
        "matching.obey: matches[np.ix_(one, other)] = matches[np.ix_(other, one)] = None",
    ),
    "The same rows are compared again: it takes longer.": (
        "matching._inside: for start in range(0, len(means), ):",
        "matching._inside: block = slice(None, start + rows)",
        "matching._inside: block = slice(start, None)",
        "matching._inside: block = slice(start + rows)",
    ),
    "SciPy takes names of distances in any case.": (
        'matching._inside: inside[block] = -0.5 * cdist(means[block], means, "SQEUCLIDEAN") >= limits[block, None]',
    ),
    "More directions than the rank are left out right behind.": (
        "matching._principal: _, extent, directions = np.linalg.svd(means - means.mean(0), full_matrices=None)",
        "matching._principal: _, extent, directions = np.linalg.svd(means - means.mean(0), )",
        "matching._principal: _, extent, directions = np.linalg.svd(means - means.mean(0), full_matrices=True)",
    ),
    "Only where no track differs from another, and then one direction is as good as all.": (
        "matching._principal: rank = np.count_nonzero(extent >= 1e-9 * extent[0])  # the directions beyond it are arbitrary",
    ),
    "Where all points are alike they are like any one, and two tracks have two points.": (
        "matching._plane: if points.shape[1] <= 2 or np.all(points == points[1]):",
    ),
    "It is the default of scikit-learn.": (
        'matching._plane: plane = TSNE(perplexity=neighbours, init="pca", random_state=seed).fit_transform(points)',
        "matching._plane: plane = TSNE(2, perplexity=neighbours, random_state=seed).fit_transform(points)",
    ),
    "The losses of pairs have two dimensions, so the last is the second.": (
        "loss.cross_entropy: return -(p * log_q).sum(-1).mean(+1)",
    ),
    "Whole numbers are the same as floats.": (
        "metrics.pooled: labels: list[Array] = [np.empty(0, None)]",
        "metrics.pooled: labels: list[Array] = [np.empty(0, )]",
    ),
    "Labels need only differ from film to film.": (
        "metrics.pooled: first = 2 + max(part.max(initial=-1) for part in labels)",
        "metrics.pooled: first = 1 + max(part.max(initial=+1) for part in labels)",
    ),
    "Every level but 'frame' counts tracks.": (
        'metrics.evaluate: def (tracks: Tracks, labels: Array, truth: Truth, level: Level = "XXtrackXX") -> Scores:',
        'metrics.evaluate: def (tracks: Tracks, labels: Array, truth: Truth, level: Level = "TRACK") -> Scores:',
    ),
    "Without any pair both are 0 or both are 1, and the index is 1.": (
        "metrics._Pairs.adjusted_rand_index: chance = self.joined * self.related / self.all if self.all else 1.0",
    ),
    "Every mean but 'late' is early.": ('distance: mean: Literal["early", "late"] = \'early?\'',),
    "Measured in docs/choices.md; one direction more or less is right as well.": (
        "matching: DIMENSIONS = 31",
        "matching: DIMENSIONS = 33",
    ),
    "Measured in docs/choices.md; one fit more is right as well.": ("matching: FITS = 5",),
    "It is a type, which mypy reads and the program does not.": (
        "metrics: Level = Literal['track?', \"frame\"]",
        "metrics: Level = Literal[\"track\", 'frame?']",
    ),
}

REASONS = {name: reason for reason, names in SURVIVORS.items() for name in names}
