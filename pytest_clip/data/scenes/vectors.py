"""Vectors by component: three tensors of one shape.

Rows of three in one tensor leave torch inner loops of three elements: the same shading took 2.5 times as long (2.5 against 1.0 ms a scene).
Sums are written out in one order, so that the result of an element does not depend on its neighbours, as a batched matmul's may.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

Vector = tuple[Tensor, Tensor, Tensor]


def dot(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def unit(v: Vector) -> Vector:
    """Of length 1, or 0 where it was 0."""
    length = dot(v, v).sqrt_().clamp_min_(1e-9)
    return v[0] / length, v[1] / length, v[2] / length


def looked_up(table: Tensor, rows: Tensor) -> tuple[Tensor, ...]:
    """The columns of table[rows]: of `table` [k, m] and `rows` [n], m tensors [n]."""
    return tuple(column.index_select(0, rows) for column in table.t().contiguous())


def picked(v: Vector, rows: Tensor) -> Vector:
    """The elements `rows` of each component."""
    return v[0].index_select(0, rows), v[1].index_select(0, rows), v[2].index_select(0, rows)


def mapped(matrix: Sequence[Tensor], v: Vector) -> Vector:
    """M v, `matrix` by its nine elements row by row."""
    return dot(matrix[0:3], v), dot(matrix[3:6], v), dot(matrix[6:9], v)


def mapped_back(matrix: Sequence[Tensor], v: Vector) -> Vector:
    """M^T v: what undoes a rotation."""
    return dot(matrix[0::3], v), dot(matrix[1::3], v), dot(matrix[2::3], v)
