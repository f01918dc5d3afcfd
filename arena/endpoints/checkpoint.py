"""Finding and loading the weights of a causal language model: a directory, a GGUF file, or a hub id."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import huggingface_hub
import torch
import transformers
from platformdirs import user_cache_path
from safetensors import SafetensorError

from arena.endpoints.endpoint import EndpointError, Failure

CONVERSION = 1  # counts up when the conversion changes, so that older directories are no longer found

logger = logging.getLogger(__name__)


def load(
    source: str,
    file: str | None,
    revision: str | None,
    dtype: str,
    device: str | None,
    cache: Path | None,
    *,
    encoder_decoders: bool = False,
) -> tuple[transformers.PreTrainedModel, transformers.PreTrainedTokenizerBase]:
    """The network, ready for inference, and its tokenizer; an encoder-decoder only with `encoder_decoders`.

    Raises `EndpointError`.
    """
    with _unusable_on_error(source):
        place = locate(source, file, revision)
        if isinstance(place, Path) and place.suffix == ".gguf":
            place = converted(place, cache or user_cache_path("arena") / "converted")
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        return _load(place, revision, dtype, device, encoder_decoders)


@contextmanager
def _unusable_on_error(source: str) -> Iterator[None]:
    """A context that turns any error of the loading libraries into `EndpointError`, except a missing extra."""
    try:
        yield
    # OSError: a file or the hub is missing. ValueError: not a causal model, or an unknown architecture.
    except (OSError, ValueError, SafetensorError) as cause:
        raise _unusable(source, str(cause)) from cause
    except ImportError:
        raise
    # A damaged configuration fails anywhere in the library, for example with KeyError or ZeroDivisionError.
    except Exception as cause:
        logger.error("loading %s failed", source, exc_info=cause)
        raise _unusable(source, f"{type(cause).__name__}: {cause}") from cause


def _unusable(source: str, problem: str) -> EndpointError:
    reason = " ".join(problem.split()).rstrip(".")
    return EndpointError(Failure.UNUSABLE, f"cannot load {source!r}: {reason}{_advice(source)}")


def _load(
    place: str | Path, revision: str | None, dtype: str, device: str, encoder_decoders: bool
) -> tuple[transformers.PreTrainedModel, transformers.PreTrainedTokenizerBase]:
    # Code that comes with weights is never run; left open, transformers would ask on the terminal.
    options: dict[str, Any] = {"trust_remote_code": False}
    if isinstance(place, str):
        options["revision"] = revision or "main"
    config = transformers.AutoConfig.from_pretrained(place, **options)  # nosec B615
    network_class = _network_class(config, encoder_decoders)
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        place, **options
    )  # a folder, or a revision in the options  # nosec B615
    network = network_class.from_pretrained(  # a folder, or a revision in the options
        place, dtype=working_dtype(dtype, device), device_map=device, **options
    )
    return network.eval(), tokenizer


def _network_class(config: Any, encoder_decoders: bool) -> Any:
    """The class that loads a network as what it was trained as: another one gives it random weights.

    Raises ValueError for a network that does not write text.
    """
    trained_as = next(iter(config.architectures or ()), "")
    if trained_as.endswith("ForSequenceClassification"):
        raise ValueError(f"{config.model_type!r} is a classifier, which writes no text. Use endpoint 'reward'.")
    if not config.is_encoder_decoder:
        return transformers.AutoModelForCausalLM
    if not encoder_decoders:
        raise ValueError(
            f"{config.model_type!r} is an encoder-decoder, which this endpoint does not serve. Use a decoder-only model."
        )
    return transformers.AutoModelForSeq2SeqLM


def load_classifier(
    source: str, revision: str | None, dtype: str, device: str | None
) -> tuple[transformers.PreTrainedModel, transformers.PreTrainedTokenizerBase]:
    """A sequence classifier with one number, as reward models are, and its tokenizer. Raises `EndpointError`."""
    network, tokenizer = _sequence_classifier(source, revision, dtype, device)
    if network.config.num_labels != 1:
        detail = f"{source!r} has {network.config.num_labels} labels, and a reward model has one. Choose a reward model."
        raise EndpointError(Failure.UNUSABLE, detail)
    return network, tokenizer


def load_text_classifier(
    source: str, device: str | None
) -> tuple[transformers.PreTrainedModel, transformers.PreTrainedTokenizerBase]:
    """The classifier in a folder, with one label or more, and its tokenizer. Raises `EndpointError`."""
    return _sequence_classifier(source, None, "auto", device)


def _sequence_classifier(
    source: str, revision: str | None, dtype: str, device: str | None
) -> tuple[transformers.PreTrainedModel, transformers.PreTrainedTokenizerBase]:
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    with _unusable_on_error(source):
        place = locate(source, None, revision)
        options: dict[str, Any] = {"trust_remote_code": False}
        if isinstance(place, str):
            options["revision"] = revision or "main"
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            place, **options
        )  # a folder, or a revision in the options  # nosec B615
        network = transformers.AutoModelForSequenceClassification.from_pretrained(  # a folder, or a revision in the options  # nosec B615
            place, dtype=working_dtype(dtype, device), device_map=device, **options
        )
    if network.config.pad_token_id is None:
        network.config.pad_token_id = tokenizer.pad_token_id or tokenizer.eos_token_id or 0
    return network.eval(), tokenizer


def locate(source: str, file: str | None, revision: str | None) -> Path | str:
    """A local path, or `source` itself if it is a hub id. Raises `OSError`."""
    path = Path(source).expanduser()
    if path.exists():
        return path / file if file else path
    if source.startswith(("/", ".", "~")) or source.endswith(".gguf") or source.count("/") > 1:
        raise FileNotFoundError("there is no such file or directory")
    if revision is None:
        logger.warning("%s has no pinned revision: its weights may change between two runs", source)
    if file:
        return Path(huggingface_hub.hf_hub_download(source, file, revision=revision))
    return source


def _advice(source: str) -> str:
    if Path(source).expanduser().exists():
        return ""
    return (
        ". If the hub is unreachable, download the weights on another machine (`hf download ID --revision REVISION "
        "--local-dir DIRECTORY`), copy the directory here and use its path as the source"
    )


def working_dtype(dtype: str, device: str) -> torch.dtype | str:
    """The dtype for `from_pretrained`. `auto` is the checkpoint's own if the hardware supports it.

    A CPU without bfloat16 instructions emulates them: SmolLM2 135M on AVX2 reads a prompt 6 times slower and
    writes 8 rows at half the speed than in float32, which only costs memory. Raises `ValueError`.
    """
    if dtype == "auto":
        slow = device.startswith("cpu") and not torch.ops.mkldnn._is_mkldnn_bf16_supported()
        return torch.float32 if slow else "auto"
    named = getattr(torch, dtype, None)
    if not isinstance(named, torch.dtype):
        raise ValueError(f"dtype {dtype!r} is unknown. Expected auto, float32, bfloat16 or float16.")
    return named


def converted(gguf: Path, cache: Path) -> Path:
    """A directory with the weights of `gguf` in bfloat16, made at the first call: reading GGUF takes minutes.

    It is named by the content of the file and appears whole or not at all, so any number of processes may ask
    for it at once. Raises `OSError`, `ValueError`.
    """
    with gguf.open("rb") as opened:
        content = hashlib.file_digest(opened, "sha256").hexdigest()
    target = cache / f"{gguf.stem}-{content[:16]}-{CONVERSION}"
    if target.exists():
        return target
    logger.info("converting %s once; this takes a minute or two", gguf.name)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".converting-", dir=cache) as directory:
        made = Path(directory) / "weights"
        _convert(gguf, made)
        try:
            os.rename(made, target)
        except OSError:
            if not target.exists():  # else another process was faster, with the same result
                raise
    return target


def _convert(gguf: Path, target: Path) -> None:
    options = {"gguf_file": gguf.name, "trust_remote_code": False}
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        gguf.parent, **options
    )  # a folder, or a revision in the options  # nosec B615
    unpacked = getattr(transformers, "GgufConfig", None)  # without it, older versions always unpack
    if unpacked:
        options["quantization_config"] = unpacked(dequantize=True)
    network = transformers.AutoModelForCausalLM.from_pretrained(
        gguf.parent, dtype=torch.bfloat16, **options
    )  # a folder, or a revision in the options  # nosec B615
    # The weights are plain now, but `save_pretrained` refuses while these two say that they are packed.
    network.hf_quantizer = None
    if hasattr(network.config, "quantization_config"):
        del network.config.quantization_config
    network.save_pretrained(target)
    tokenizer.save_pretrained(target)
