"""A disk's image and a folder to save its dumps into."""

import hashlib
import os
import sys
import tempfile

from images import some_bytes
from tap import run

VMCORE = sys.argv[1]
NO_DUMP = 1
DATA = some_bytes(10000)

# A command that was built without OpenSSL leaves the line out.
HAS_SHA256 = os.environ.get("VMCORE_SHA256") == "1"


def sha256_line(data):
    """The line of info.N about a dump's file."""
    if not HAS_SHA256:
        return ""
    return f"  SHA-256: {hashlib.sha256(data).hexdigest()}\n"


# The files of the first dump.
CORES = ["info.0", "info.last", "vmcore.0", "vmcore.last"]


class Scene:
    """An image and a folder to save into; work is their parent."""

    def __init__(self, image):
        self.work = tempfile.TemporaryDirectory()
        self.image = os.path.join(self.work.name, "disk.img")
        self.folder = os.path.join(self.work.name, "crash")
        os.mkdir(self.folder)
        self.write(image)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.work.cleanup()

    def write(self, image):
        with open(self.image, "wb") as file:
            file.write(image)

    def save(self, *words, **options):
        options = {"env": os.environ | {"TZ": "UTC"}} | options
        return run(VMCORE, "save", *words, self.image, self.folder, **options)

    def check(self, *words):
        return run(VMCORE, "save", "-C", *words, self.image)

    def image_bytes(self):
        with open(self.image, "rb") as file:
            return file.read()

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def names(self):
        return sorted(os.listdir(self.folder))


def put(scene, name, text):
    with open(scene.path(name), "w", encoding="ascii") as file:
        file.write(text)
