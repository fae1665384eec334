#!/usr/bin/env python3
"""Runs a real model server with a tiny model of random weights, for the tests of model servers in `crates/e2e/tests/e2e`.

The model knows nothing, but everything around it is real: the protocol, the tokenizer, the sampler and its limits. The weights
come from a fixed seed, so that every run makes the same model. Nothing is downloaded when it runs.

There are two servers. `llama-server` is llama.cpp's own, from the package xllamacpp, which has wheels for most machines:

    python3 -m venv target/real-model
    target/real-model/bin/pip install xllamacpp gguf numpy

`llama-cpp-python` is another, in Python on the same library. Building it takes 10 to 30 minutes:

    target/real-model/bin/pip install 'llama-cpp-python[server]'

The tests start the servers that are installed, each as it is needed:

    AB_E2E_MODEL_PYTHON=target/real-model/bin/python cargo test --test e2e model

By hand, the first line on standard output is the address, as the variable that lets the tests use this server; the server's
log goes to standard error. Ctrl-C ends it.

    target/real-model/bin/python crates/e2e/real-model/serve.py --port 8093
"""

import argparse
import importlib.util
import os
import pathlib
import sys
import tempfile
import threading
from dataclasses import dataclass

import gguf
import numpy


@dataclass
class Size:
    """How large a model is, and with it how slow."""

    width: int
    layers: int
    hidden: int


# Small, but of the shape of a real model; and one that takes some 10 ms for a token, to be interrupted.
TINY = Size(width=64, layers=2, hidden=128)
SLOW = Size(width=512, layers=8, hidden=1024)
HEADS = 4
TRAINED_CONTEXT = 16384

# Every byte is a token, so that any prompt can be read; a few words are, so that an outcome can come out.
SPECIAL = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
WORDS = ["▁positive", "▁neutral", "▁negative"]


def write_model(path: pathlib.Path, size: Size) -> None:
    """Writes the model in GGUF."""
    vocabulary = SPECIAL + BYTES + WORDS
    kinds = gguf.TokenType
    types = [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL]
    types += [kinds.BYTE] * len(BYTES) + [kinds.NORMAL] * len(WORDS)

    model = gguf.GGUFWriter(str(path), "llama")
    model.add_name("random")
    model.add_context_length(TRAINED_CONTEXT)
    model.add_embedding_length(size.width)
    model.add_block_count(size.layers)
    model.add_feed_forward_length(size.hidden)
    model.add_head_count(HEADS)
    model.add_head_count_kv(HEADS)
    model.add_rope_dimension_count(size.width // HEADS)
    model.add_layer_norm_rms_eps(1e-5)
    model.add_vocab_size(len(vocabulary))
    model.add_tokenizer_model("llama")
    model.add_token_list(vocabulary)
    model.add_token_scores([0.0] * len(vocabulary))
    model.add_token_types(types)
    model.add_bos_token_id(1)
    model.add_eos_token_id(2)
    model.add_unk_token_id(0)
    model.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")

    random = numpy.random.default_rng(20261123)

    def weights(rows: int, columns: int) -> numpy.ndarray:
        return random.standard_normal((rows, columns), dtype=numpy.float32) * numpy.float32(columns**-0.5)

    def matrix(name: str, rows: int, columns: int) -> None:
        model.add_tensor(name, weights(rows, columns))

    def residual(name: str, columns: int) -> None:
        # What every layer adds leaves the first number of a token's vector as it is.
        added = weights(size.width, columns)
        added[0] = 0
        model.add_tensor(name, added)

    def ones(name: str) -> None:
        model.add_tensor(name, numpy.ones(size.width, dtype=numpy.float32))

    embedding = weights(len(vocabulary), size.width)
    embedding[:, 0] = 0.1
    model.add_tensor("token_embd.weight", embedding)
    for layer in range(size.layers):
        ones(f"blk.{layer}.attn_norm.weight")
        # Attention as sharp as a trained model's: even attention to a whole prompt would be the same for every sentence.
        for part in ("attn_q", "attn_k"):
            model.add_tensor(f"blk.{layer}.{part}.weight", 4 * weights(size.width, size.width))
        matrix(f"blk.{layer}.attn_v.weight", size.width, size.width)
        residual(f"blk.{layer}.attn_output.weight", size.width)
        ones(f"blk.{layer}.ffn_norm.weight")
        matrix(f"blk.{layer}.ffn_gate.weight", size.hidden, size.width)
        matrix(f"blk.{layer}.ffn_up.weight", size.hidden, size.width)
        residual(f"blk.{layer}.ffn_down.weight", size.hidden)
    ones("output_norm.weight")
    # That number is never negative, so what comes out at temperature 0 is words alone: a byte may be half a character, which the
    # server would count in another way.
    output = numpy.zeros((len(vocabulary), size.width), dtype=numpy.float32)
    output[:, 0] = -100
    output[-len(WORDS):] = weights(len(WORDS), size.width)
    model.add_tensor("output.weight", output)

    model.write_header_to_file()
    model.write_kv_data_to_file()
    model.write_tensors_to_file()
    model.close()


def announce(address: str) -> None:
    """Says that the server answers now."""
    print(f"AB_E2E_MODEL_SERVER={address}", flush=True)


def serve_llama_server(model: pathlib.Path, options: argparse.Namespace) -> None:
    """Runs llama.cpp's own server until the process ends."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = [options.model_name]
    params.n_ctx = options.context
    # The context is shared by so many answers at once.
    params.n_parallel = options.parallel
    params.kv_unified = True
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    params.n_gpu_layers = 0
    # More threads wait for one another by spinning, which a busy machine makes very slow.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.endpoint_slots = True
    if options.api_key:
        params.api_keys = [options.api_key]
    if options.path:
        params.api_prefix = options.path
    server = xllamacpp.Server(params)
    announce(server.listening_address.removesuffix(options.path))
    threading.Event().wait()


def serve_llama_cpp_python(model: pathlib.Path, options: argparse.Namespace) -> None:
    """Runs the server of llama-cpp-python until it is asked to end."""
    import uvicorn
    from llama_cpp.server.app import create_app
    from llama_cpp.server.settings import ModelSettings, ServerSettings

    if options.path:
        sys.exit("llama-cpp-python has no base path")
    settings = ModelSettings(
        model=str(model), model_alias=options.model_name, n_ctx=options.context, n_threads=1, n_threads_batch=1
    )
    app = create_app(server_settings=ServerSettings(api_key=options.api_key), model_settings=[settings])

    class Announcing(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets=sockets)
            port = self.servers[0].sockets[0].getsockname()[1]
            announce(f"http://127.0.0.1:{port}")

    Announcing(uvicorn.Config(app, host="127.0.0.1", port=options.port)).run()


# Each with the module that has to be there.
SERVERS = {
    "llama-server": ("xllamacpp", serve_llama_server),
    "llama-cpp-python": ("llama_cpp", serve_llama_cpp_python),
}


def installed() -> list[str]:
    """The names of the servers that can be run."""
    return [name for name, (module, _) in SERVERS.items() if importlib.util.find_spec(module)]


def main() -> None:
    """Writes the model, runs the server, and prints its address when it answers."""
    parser = argparse.ArgumentParser(description="Runs a real model server with a tiny model of random weights.")
    parser.add_argument("--list", action="store_true", help="print the servers that are installed, and end")
    parser.add_argument("--server", choices=SERVERS, help="the first that is installed, unless given")
    parser.add_argument("--port", type=int, default=0, help="a free one, unless given")
    parser.add_argument("--model-name", default="llama2-chat", help="the name that the server lists")
    parser.add_argument("--api-key", help="the token that the server wants; none, unless given")
    parser.add_argument("--path", default="", help="the path before /v1 (llama-server only)")
    parser.add_argument("--context", type=int, default=4096, help="how many tokens a prompt and its answer may have")
    parser.add_argument("--parallel", type=int, default=4, help="how many answers at once (llama-server only)")
    parser.add_argument("--slow", action="store_true", help="a larger model, of some 10 ms for a token")
    options = parser.parse_args()
    if options.list:
        print("\n".join(installed()))
        return
    name = options.server or next(iter(installed()), None)
    if name is None:
        sys.exit("no server is installed: see the head of this file")

    folder = os.environ.get("AB_E2E_MODEL_FOLDER")
    with tempfile.TemporaryDirectory(dir=folder) as folder:
        path = pathlib.Path(folder, "random.gguf")
        write_model(path, SLOW if options.slow else TINY)
        try:
            SERVERS[name][1](path, options)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
