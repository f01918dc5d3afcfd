"""The child process of llama.cpp, started by `arena.endpoints.llama_cpp` and never imported.

Reads one line of JSON from standard input, loads the model, prints one line of JSON with its address, and
serves until standard input closes, which happens by itself when the parent ends, however it ends.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    options = json.loads(sys.stdin.readline())
    reply = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # llama.cpp writes its log to standard output; keep the reply line clean
    try:
        import xllamacpp
    except ImportError:
        print(json.dumps({"error": "The extra 'demo' is missing. Run `pip install 'arena[demo]'`."}), file=reply)
        return
    try:
        server = xllamacpp.Server(_parameters(xllamacpp, options))
    except RuntimeError as error:
        print(json.dumps({"error": str(error)}), file=reply)
        return
    print(json.dumps({"url": server.listening_address}), file=reply)
    sys.stdin.read()
    os._exit(0)  # at once: nothing here is worth saving


def _parameters(xllamacpp: Any, options: dict[str, Any]) -> Any:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = options["path"]
    parameters.model_alias = {options["alias"]}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0  # a free one
    parameters.api_keys = [options["key"]]
    parameters.n_ctx = options["context"]
    parameters.n_parallel = options["parallel"]
    parameters.cpuparams.n_threads = options["threads"]
    parameters.cpuparams_batch.n_threads = options["threads"]
    parameters.ui = False
    parameters.endpoint_slots = False  # would show one voter's prompt to another process
    parameters.verbosity = 0
    if options["chat_template"]:
        parameters.chat_template = options["chat_template"]
        parameters.use_jinja = True
    return parameters


if __name__ == "__main__":
    main()
