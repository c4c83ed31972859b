"""What to run, once, on a checkpoint that is not read as it is: a few lines that write its weights, and no more, to a file beside it."""

from __future__ import annotations

import shlex
import zipfile
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


def joined(path: Path, prefix: str) -> str:
    """For one tower alone: it takes its place in OTHER.pt, which has both. Its names get `prefix`."""
    renamed = f"{{{prefix!r} + k: v for k, v in c.items()}}" if prefix else "c"
    inside = f"o = next((o[k] for k in {PLAIN} if isinstance(o.get(k), dict)), o)"
    find = f"c = next((c[k] for k in {PLAIN} if isinstance(c.get(k), dict)), c)"
    load = 'o = torch.load("OTHER.pt", map_location="cpu", weights_only=True)'
    return _script(path, *_read(path, ()), find, load, inside, f"c = {{**o, **{renamed}}}")


def pulled(path: Path) -> str:
    """For a pointer of Git LFS."""
    return shlex.join(["git", "-C", str(path.absolute().parent), "lfs", "pull", f"--include={path.name}"])


def is_script(path: Path) -> bool:
    """Whether a file is a TorchScript archive, by the names in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except Exception:  # no archive, or a damaged one: torch says so
        return False


def script(path: Path) -> str:
    """The sentence for a TorchScript archive."""
    return (
        f"{path} is a TorchScript archive (OpenAI's own .pt files are), which holds code. Use the tag instead, "
        "--clip-model=ViT-B-32,openai, or, if you trust the file, save its weights once and "
        f"load them into the -quickgelu architecture: {from_script(path)}"
    )


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
