"""Images that are made once in docker-registry's storage layout, so that they needn't be pushed.

Layers are real: a tar with one file of noise, in gzip's stored format. Clients that compress uncompressed layers
leave them unchanged, and can't make them smaller. The same seed gives the same bytes.
"""

import hashlib
import json
import os
import random
import shutil
import tarfile
import zlib
from dataclasses import dataclass

_CHUNK = 1 << 20
_TYPE = "application/vnd.oci.image"
MANIFEST_TYPE = f"{_TYPE}.manifest.v1+json"


@dataclass
class Image:
    repository: str
    tag: str
    digest: str
    manifest: bytes

    @property
    def blobs(self):
        manifest = json.loads(self.manifest)
        return [manifest["config"], *manifest["layers"]]

    @property
    def layers(self):
        return json.loads(self.manifest)["layers"]

    @property
    def size(self):
        return sum(blob["size"] for blob in self.blobs)


class Store:
    """A folder in the layout of docker-registry's filesystem driver, version 2."""

    def __init__(self, root):
        self.root = root
        self.base = os.path.join(root, "docker", "registry", "v2")

    def path(self, digest):
        """The path of a blob's bytes."""
        value = digest.removeprefix("sha256:")
        return os.path.join(self.base, "blobs", "sha256", value[:2], value, "data")

    def image(self, repository, layers, tag="v1"):
        """The image with that name, which is made if it is missing.

        - layers: (seed, bytes) of each layer; images share layers with equal values.
        """
        recipe = json.dumps([1, tag, layers])
        known = os.path.join(self.base, "repositories", repository, f"recipe-{tag}.json")
        try:
            with open(known, encoding="ascii") as file:
                found = json.load(file)
            if found["recipe"] == recipe:
                with open(self.path(found["digest"]), "rb") as file:
                    return Image(repository, tag, found["digest"], file.read())
        except FileNotFoundError:
            pass
        image = self._make(repository, tag, [self._layer(repository, seed, size) for seed, size in layers])
        with open(known, "w", encoding="ascii") as file:
            json.dump({"recipe": recipe, "digest": image.digest}, file)
        return image

    def _make(self, repository, tag, layers):
        """Stores config and manifest of `layers`, which are (descriptor, digest of the tar)."""
        config = {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [inner for _, inner in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": self._keep(repository, f"{_TYPE}.config.v1+json", encode(config)),
            "layers": [descriptor for descriptor, _ in layers],
        }
        content = encode(manifest)
        digest = self._keep(repository, MANIFEST_TYPE, content, is_layer=False)["digest"]
        value = digest.removeprefix("sha256:")
        manifests = os.path.join(self.base, "repositories", repository, "_manifests")
        for place in (
            os.path.join(manifests, "revisions", "sha256", value),
            os.path.join(manifests, "tags", tag, "current"),
            os.path.join(manifests, "tags", tag, "index", "sha256", value),
        ):
            self._link(place, digest)
        return Image(repository, tag, digest, content)

    def large(self, repository, size):
        """An image with one layer of `size` zero bytes, in a sparse file."""
        hasher, zeros = hashlib.sha256(), bytes(_CHUNK)
        known = os.path.join(self.root, f"zeros-{size}.sha256")
        if not os.path.exists(known):
            for _ in range(size // _CHUNK):
                hasher.update(zeros)
            with open(known, "w", encoding="ascii") as file:
                file.write(f"sha256:{hasher.hexdigest()}")
        with open(known, encoding="ascii") as file:
            digest = file.read()
        path = self.path(digest)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.truncate(size)
        self._link(os.path.join(self.base, "repositories", repository, "_layers", "sha256", digest[7:]), digest)
        layer = {"mediaType": f"{_TYPE}.layer.v1.tar", "digest": digest, "size": size}
        return self._make(repository, "v1", [(layer, digest)])

    def _layer(self, repository, seed, size):
        inner, outer, length = hashlib.sha256(), hashlib.sha256(), 0
        unfinished = os.path.join(self.root, "unfinished")
        os.makedirs(self.root, exist_ok=True)
        # 31 selects the largest window, with gzip's header and trailer.
        gzip = zlib.compressobj(0, zlib.DEFLATED, 31)
        with open(unfinished, "wb") as file:
            for chunk in tar_of_noise(seed, size):
                inner.update(chunk)
                stored = gzip.compress(chunk)
                outer.update(stored)
                length += file.write(stored)
            stored = gzip.flush()
            outer.update(stored)
            length += file.write(stored)
        digest = f"sha256:{outer.hexdigest()}"
        os.makedirs(os.path.dirname(self.path(digest)), exist_ok=True)
        os.replace(unfinished, self.path(digest))
        self._link(os.path.join(self.base, "repositories", repository, "_layers", "sha256", digest[7:]), digest)
        descriptor = {"mediaType": f"{_TYPE}.layer.v1.tar+gzip", "digest": digest, "size": length}
        return descriptor, f"sha256:{inner.hexdigest()}"

    def _keep(self, repository, media_type, content, is_layer=True):
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        os.makedirs(os.path.dirname(self.path(digest)), exist_ok=True)
        with open(self.path(digest), "wb") as file:
            file.write(content)
        if is_layer:
            self._link(os.path.join(self.base, "repositories", repository, "_layers", "sha256", digest[7:]), digest)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def _link(self, folder, digest):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "link"), "w", encoding="ascii") as file:
            file.write(digest)

    def take(self, other, image):
        """Copies an image from another store, file by file."""
        shutil.copytree(
            os.path.join(other.base, "repositories", image.repository),
            os.path.join(self.base, "repositories", image.repository),
        )
        for digest in [image.digest, *(blob["digest"] for blob in image.blobs)]:
            os.makedirs(os.path.dirname(self.path(digest)), exist_ok=True)
            shutil.copyfile(other.path(digest), self.path(digest))

    def take_all(self, other, images):
        """Copies images of one repository from another store into this empty one."""
        base = os.path.join("repositories", images[0].repository)
        for image in images:
            value = image.digest.removeprefix("sha256:")
            links = [os.path.join("_manifests", "revisions", "sha256", value), os.path.join("_manifests", "tags", image.tag)]
            links += [os.path.join("_layers", "sha256", blob["digest"][7:]) for blob in image.blobs]
            for link in links:
                shutil.copytree(
                    os.path.join(other.base, base, link), os.path.join(self.base, base, link), dirs_exist_ok=True
                )
            for digest in [image.digest, *(blob["digest"] for blob in image.blobs)]:
                if not os.path.exists(self.path(digest)):
                    os.makedirs(os.path.dirname(self.path(digest)), exist_ok=True)
                    shutil.copyfile(other.path(digest), self.path(digest))

    def point(self, tag, image):
        """Makes another tag of an image's repository point at it."""
        folder = os.path.join(self.base, "repositories", image.repository, "_manifests", "tags", tag)
        self._link(os.path.join(folder, "current"), image.digest)
        self._link(os.path.join(folder, "index", "sha256", image.digest.removeprefix("sha256:")), image.digest)

    def warm(self, image):
        """Reads an image once, so that it is in the page cache for all clients."""
        for blob in image.blobs:
            with open(self.path(blob["digest"]), "rb", buffering=0) as file:
                buffer = bytearray(_CHUNK)
                while file.readinto(buffer):
                    pass


def encode(value):
    return json.dumps(value, separators=(",", ":")).encode()


def tar_of_noise(seed, size):
    """A tar with one file of noise that is `size` bytes long with header and padding, in chunks."""
    noise = random.Random(f"ecr-replicate {seed}")
    left = max(size - 512 - 1024, 0) // 512 * 512
    info = tarfile.TarInfo("noise")
    info.size = left
    yield info.tobuf(tarfile.USTAR_FORMAT)
    while left:
        chunk = noise.randbytes(min(left, _CHUNK))
        left -= len(chunk)
        yield chunk
    yield bytes(1024)
