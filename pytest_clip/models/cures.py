"""What to run, once, on a checkpoint that is not read as it is: a few lines that write its weights, and no more, to a file beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PLAIN = ("state_dict", "model", "model_state_dict", "module")
AVERAGED = ("state_dict_ema", "ema", "model_ema", "ema_state_dict")
_SAVED = "{k: v for k, v in c.items() if torch.is_tensor(v)}"
_FLAT = 'f = lambda d, p="": {k: v for a, b in d.items() for k, v in (f(b, f"{p}{a}.") if isinstance(b, dict) else {f"{p}{a}": b}).items()}'


def from_pickle(path: Path) -> str:
    """For a file that holds more than weights, such as arguments or the model as an object. Loading it runs what is in it."""
    return _script(
        path,
        f'c = torch.load({str(path)!r}, map_location="cpu", weights_only=False)',
        f"c = next((c[k] for k in {(*PLAIN, *AVERAGED)} if isinstance(c, dict) and k in c), c)",
        'c = c.state_dict() if hasattr(c, "state_dict") else c',
        "c = {k: v if torch.is_tensor(v) else torch.as_tensor(v) for k, v in c.items() if torch.is_tensor(v) or hasattr(v, 'shape')}",
    )


def from_script(path: Path) -> str:
    """For a TorchScript archive. Loading it runs what is in it."""
    return _script(path, f'c = torch.jit.load({str(path)!r}, map_location="cpu").state_dict()')


def dense(path: Path, container: Sequence[str]) -> str:
    """For tensors that are sparse, quantised or nested."""
    spelled = "{k: v.dequantize() if v.is_quantized else v.to_dense() if v.layout != torch.strided else v for k, v in c.items()}"
    return _script(path, *_read(path, container), f"c = {_SAVED}", f"c = {spelled}")


def flat(path: Path, container: Sequence[str]) -> str:
    """For weights that lie in folders of folders: their names joined by dots."""
    return _script(path, *_read(path, container), _FLAT, "c = f(c)")


def moved(path: Path, container: Sequence[str]) -> str:
    """For weights that lie where nobody looks."""
    return _script(path, *_read(path, container))


def without(prefix: str, path: Path, container: Sequence[str]) -> str:
    """For weights of a part of what was trained: those under `prefix`, without it."""
    kept = f"{{k.removeprefix({prefix!r}): v for k, v in c.items() if k.startswith({prefix!r})}}"
    return _script(path, *_read(path, container), f"c = {kept}")


def _read(path: Path, container: Sequence[str]) -> tuple[str, ...]:
    if path.suffix == ".safetensors":
        return "from safetensors.torch import load_file", f"c = load_file({str(path)!r})"
    inside = "".join(f"[{name!r}]" for name in container)
    return (f'c = torch.load({str(path)!r}, map_location="cpu", weights_only=True){inside}',)


def _script(path: Path, *lines: str) -> str:
    """Without indentation, which Python and the shell would both stumble over."""
    target = path.with_name(f"{path.stem}-weights.pt")
    last = f"w = {_SAVED}", 'assert w, "there are no weights in it"', f"torch.save(w, {str(target)!r})"
    return "\n".join(["", "python - <<'EOF'", "import torch", *lines, *last, "EOF"])
