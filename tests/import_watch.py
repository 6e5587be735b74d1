"""In: a folder, names of modules. Out: on stdout what importing them did to the world, and the heavy vendors in it.

Run in a fresh process by tests/test_structure.py: what is already imported would hide what an import does.
"""

import importlib
import os
import sys

HEAVY = {"alembic", "chromadb", "gradio", "langchain", "langchain_core", "openvino", "pandas", "torch", "transformers"}
ACTS = {"socket.connect", "socket.bind", "socket.getaddrinfo", "os.mkdir", "subprocess.Popen", "os.posix_spawn"}

done = []


def watch(event: str, arguments: tuple) -> None:
    writes = event == "open" and isinstance(arguments[1], str) and set("wax+") & set(arguments[1])
    if (event in ACTS or writes) and "__pycache__" not in str(arguments[0]):
        done.append(f"{event} {arguments}")


def watch_environment(folder: str) -> None:
    """Notes who of ours reads os.environ; the standard library and vendors may."""
    read = type(os.environ).__getitem__

    def noted(self: object, key: str) -> str:
        caller = sys._getframe(1)
        while caller and ("<frozen" in caller.f_code.co_filename or caller.f_code.co_filename.endswith("os.py")):
            caller = caller.f_back
        name = caller.f_code.co_filename
        if name.startswith(folder) and "site-packages" not in name:
            done.append(f"environment {key} {name}")
        return read(self, key)

    type(os.environ).__getitem__ = noted


if __name__ == "__main__":
    sys.addaudithook(watch)
    watch_environment(sys.argv[1])
    for module in sys.argv[2:]:
        importlib.import_module(module)
    print("\n".join(done))
    print(" ".join(sorted({name.split(".")[0] for name in sys.modules} & HEAVY)))
