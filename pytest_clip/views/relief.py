"""What 3D corruptions read from a depth map. A map is float32 [n, h, w], z-distance from the camera, in any unit.

Nothing here knows that unit: only ratios of depths are used.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

FARTHEST = 0.5  # relative depth of the farthest point of a picture
FOCAL = 0.5 / math.tan(math.radians(20))  # picture widths: 40 degrees wide, the camera of `scenes` and a 50 mm lens alike


def relative(depth: Tensor) -> Tensor:
    """[n, h, w] in (0, 0.5]: the farthest point of each picture lies at 0.5.

    ImageNet-3DCC cuts the reciprocal of an estimated disparity off at 0.5, the published strengths of fog are meant for such numbers, and
    a depth map in unknown units has no other scale than its own. `scenes` ends at a backdrop 12 units away: an object there lies between
    0.07 and 0.2.
    """
    return depth * (FARTHEST / depth.amax((1, 2), keepdim=True))


def reshading(depth: Tensor) -> Tensor:
    """[n, h, w] in [0, 1]: a white matt surface of this shape lit from the camera, n . v.

    The published flash takes this picture from a network trained on rendered rooms; here it is computed. Of the two differences along an
    axis the smaller one is taken, so that the normal of an edge is that of its own surface and not of the step behind it.
    """
    height, width = depth.shape[-2:]
    focal = FOCAL * width
    across = (torch.arange(width, device=depth.device) + 0.5 - width / 2) / focal
    down = ((torch.arange(height, device=depth.device) + 0.5 - height / 2) / focal)[:, None]
    slope_x, slope_y = _slope(depth), _slope(depth.transpose(1, 2)).transpose(1, 2)
    # The surface (x Z, y Z, Z) has the normal (Z_x, Z_y, -(Z + x Z_x + y Z_y)), Z_x per unit of x; its product with (x, y, 1) is -Z.
    zx, zy = slope_x * focal, slope_y * focal
    normal = (zx * zx + zy * zy + (depth + across * zx + down * zy) ** 2).sqrt()
    return depth / (normal * (across * across + down * down + 1).sqrt())


def _slope(depth: Tensor) -> Tensor:
    """Change of depth per pixel along the last axis, to the left or to the right, whichever is smaller."""
    step = depth[..., 1:] - depth[..., :-1]
    before, after = F.pad(step, (1, 0), value=math.inf), F.pad(step, (0, 1), value=math.inf)
    return torch.where(before.abs() < after.abs(), before, after)


def resized(depth: Tensor, size: tuple[int, int]) -> Tensor:
    """[n, H, W] to [n, h, w] without ever mixing two surfaces: a mean of near and far is a place where nothing is.

    Smaller, a pixel takes the nearest depth in it, because its colour holds some of that surface: left behind, it would be a ghost of the
    object's rim. Larger, 1 / z is interpolated, which is linear over a plane (repeated depths are a staircase, its normals stripes), but
    not across steps of more than a tenth.
    """
    whole = depth[:, None]
    if size[0] <= depth.shape[1] and size[1] <= depth.shape[2]:
        return -F.adaptive_max_pool2d(-whole, size)[:, 0]
    smooth = 1 / F.interpolate(1 / whole, size, mode="bilinear", align_corners=False)
    step = F.max_pool2d(whole, 3, 1, 1) + F.max_pool2d(-whole, 3, 1, 1) > 0.1 * whole
    return torch.where(
        F.interpolate(step.float(), size, mode="nearest-exact") > 0, F.interpolate(whole, size, mode="nearest-exact"), smooth
    )[:, 0]
