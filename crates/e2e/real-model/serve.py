#!/usr/bin/env python3
"""Runs a real llama.cpp server with a tiny model of random weights, for the tests of `crates/e2e/tests/e2e/real_model.rs`.

The model knows nothing, but everything around it is real: the protocol, the tokenizer, the sampler and its limits. The weights
come from a fixed seed, so that every run makes the same model. Nothing is downloaded when it runs.

Set up once (there may be no wheel for your machine: building one takes 10 to 30 minutes):

    python3 -m venv target/real-model
    CMAKE_BUILD_PARALLEL_LEVEL=1 target/real-model/bin/pip install 'llama-cpp-python[server]' gguf numpy

Run it, and the tests in another terminal:

    target/real-model/bin/python crates/e2e/real-model/serve.py
    AB_E2E_MODEL_SERVER=http://127.0.0.1:8093 cargo test --test e2e real_model

The first line on standard output is the address, as the variable to set; the server's log goes to standard error.
Ctrl-C ends it.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import gguf
import numpy

# Small, but of the shape of a real model.
WIDTH = 64
LAYERS = 2
HEADS = 4
HIDDEN = 128
CONTEXT = 4096

# Every byte is a token, so that any prompt can be read; a few words are, so that an outcome can come out.
SPECIAL = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
WORDS = ["▁", "▁positive", "▁neutral", "▁negative", "positive", "neutral", "negative"]


def write_model(path: pathlib.Path) -> None:
    """Writes the model in GGUF."""
    vocabulary = SPECIAL + BYTES + WORDS
    kinds = gguf.TokenType
    types = [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL]
    types += [kinds.BYTE] * len(BYTES) + [kinds.NORMAL] * len(WORDS)

    model = gguf.GGUFWriter(str(path), "llama")
    model.add_name("random")
    model.add_context_length(CONTEXT)
    model.add_embedding_length(WIDTH)
    model.add_block_count(LAYERS)
    model.add_feed_forward_length(HIDDEN)
    model.add_head_count(HEADS)
    model.add_head_count_kv(HEADS)
    model.add_rope_dimension_count(WIDTH // HEADS)
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

    def matrix(name: str, rows: int, columns: int) -> None:
        weights = random.normal(0, columns**-0.5, (rows, columns)).astype(numpy.float32)
        model.add_tensor(name, weights)

    def ones(name: str) -> None:
        model.add_tensor(name, numpy.ones(WIDTH, dtype=numpy.float32))

    matrix("token_embd.weight", len(vocabulary), WIDTH)
    for layer in range(LAYERS):
        ones(f"blk.{layer}.attn_norm.weight")
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            matrix(f"blk.{layer}.{part}.weight", WIDTH, WIDTH)
        ones(f"blk.{layer}.ffn_norm.weight")
        matrix(f"blk.{layer}.ffn_gate.weight", HIDDEN, WIDTH)
        matrix(f"blk.{layer}.ffn_up.weight", HIDDEN, WIDTH)
        matrix(f"blk.{layer}.ffn_down.weight", WIDTH, HIDDEN)
    ones("output_norm.weight")
    # What comes out is words alone: a byte may be half a character, which the server would count in another way.
    output = numpy.zeros((len(vocabulary), WIDTH), dtype=numpy.float32)
    output[-len(WORDS):] = random.normal(0, WIDTH**-0.5, (len(WORDS), WIDTH))
    model.add_tensor("output.weight", output)

    model.write_header_to_file()
    model.write_kv_data_to_file()
    model.write_tensors_to_file()
    model.close()


def answers(address: str) -> bool:
    """Whether the server is there."""
    try:
        with urllib.request.urlopen(f"{address}/v1/models", timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def main() -> int:
    """Writes the model, runs the server, and prints its address when it answers."""
    parser = argparse.ArgumentParser(description="Runs llama.cpp's server with a tiny model of random weights.")
    parser.add_argument("--port", type=int, default=8093)
    parser.add_argument("--model-name", default="llama2-chat", help="the name that the server lists")
    options = parser.parse_args()
    address = f"http://127.0.0.1:{options.port}"

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "random.gguf")
        write_model(path)
        command = [sys.executable, "-m", "llama_cpp.server", "--model", str(path)]
        command += ["--model_alias", options.model_name, "--n_ctx", str(CONTEXT)]
        command += ["--host", "127.0.0.1", "--port", str(options.port)]
        server = subprocess.Popen(command, stdout=sys.stderr)
        try:
            while server.poll() is None and not answers(address):
                time.sleep(0.2)
            if server.poll() is None:
                print(f"AB_E2E_MODEL_SERVER={address}", flush=True)
            return server.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
