"""The programs that are measured, with the command line that makes each do the same job.

Each has its own home, without the user's settings, proxies or stored credentials.
"""

import os
import re
import shutil
import subprocess

import workplace


class Client:
    name = ""
    asks_version = ("--version",)
    copies_all = False  # whether one run can copy all tags of a repository
    takes_layouts = False

    def __init__(self, scratch):
        self.home = os.path.join(scratch, f"home-{self.name}")
        os.makedirs(self.home)
        self.program = shutil.which(self.name)

    def environment(self, registry=None):
        """The environment of the program, in which it trusts the CA of `registry`."""
        found = {"PATH": os.environ["PATH"], "HOME": self.home, "LANG": "C.UTF-8"}
        if registry and registry.certificate:
            found["SSL_CERT_FILE"] = registry.certificate.authority  # the variable that Go programs read
        return found

    def version(self):
        said = subprocess.run(
            [self.program, *self.asks_version], capture_output=True, text=True, env=self.environment()
        )
        number = re.search(r"\d+\.\d+(\.\d+)?\S*", said.stdout)
        return number[0] if number else "unknown"

    def start_up(self):
        return [self.program, *self.asks_version]

    def forget(self):
        """Removes files that a run has left for the next one."""
        shutil.rmtree(self.home)
        os.makedirs(self.home)

    def copy(self, source, image, destination, repository, jobs=None):
        """Copies `image` to the same tag of `repository`."""
        raise NotImplementedError

    def retag(self, registry, image, tag):
        raise NotImplementedError

    def copy_all(self, source, repository, destination):
        """Copies all tags of a repository to one of the same name, if `copies_all`."""
        raise NotImplementedError

    def save(self, source, image, folder):
        """Copies `image` to an image layout, if `takes_layouts`."""
        raise NotImplementedError

    def load(self, folder, image, destination):
        """Copies `image` from an image layout, if `takes_layouts`."""
        raise NotImplementedError


class Replicate(Client):
    """This project's program, with `--referrers none`, because none of the others looks for referrers."""

    name = "ecr-replicate"
    copies_all = takes_layouts = True

    def __init__(self, scratch, referrers="none", kept=""):
        super().__init__(os.path.join(scratch, f"{kept or 'referrers'}-{referrers}"))
        self.program, self.referrers = workplace.BINARY, referrers
        if referrers != "none":
            self.name = f"ecr-replicate --referrers {referrers}"

    def _run(self, command, registries):
        bundle = next((r.certificate.authority for r in registries if r.certificate), None)
        return [
            self.program, command, "--progress", "none", *(["--ca-bundle", bundle] if bundle else []),
        ]

    def copy(self, source, image, destination, repository, jobs=None):
        return [
            *self._run("copy", (source, destination)), "--referrers", self.referrers,
            *(["--jobs", str(jobs)] if jobs else []),
            f"{source.base}/{image.repository}:{image.tag}", f"{destination.base}/{repository}:{image.tag}",
        ]

    def retag(self, registry, image, tag):
        return [*self._run("retag", (registry,)), f"{registry.base}/{image.repository}:{image.tag}", tag]

    def copy_all(self, source, repository, destination):
        return [
            *self._run("copy", (source, destination)), "--referrers", self.referrers, "--all-tags",
            f"{source.base}/{repository}", f"{destination.base}/{repository}",
        ]

    def save(self, source, image, folder):
        return [
            *self._run("copy", (source,)), "--referrers", self.referrers,
            f"{source.base}/{image.repository}:{image.tag}", f"oci:{folder}:{image.tag}",
        ]

    def load(self, folder, image, destination):
        return [
            *self._run("copy", (destination,)), "--referrers", self.referrers,
            f"oci:{folder}:{image.tag}", f"{destination.base}/{image.repository}:{image.tag}",
        ]


class Before(Replicate):
    """An earlier build of this project's program, measured alternately with the current one."""

    name = "before"

    def __init__(self, scratch):
        super().__init__(scratch, kept="before")
        self.name, self.program = "before", workplace.EARLIER_BINARY


class Skopeo(Client):
    """skopeo, with an empty blob-info cache for every run, because with that cache a second copy is a mount."""

    name = "skopeo"
    copies_all = takes_layouts = True

    def environment(self, registry=None):
        # As root it would use the machine's cache in /var/lib/containers; as another user it uses the home's.
        return super().environment(registry) | {
            "_CONTAINERS_ROOTLESS_UID": "1000",
            "XDG_DATA_HOME": os.path.join(self.home, "data"),
        }

    def _trust(self, side, registry):
        if registry.certificate:
            return [f"--{side}-cert-dir", registry.certificate.folder]
        return [f"--{side}-tls-verify=false"]

    def copy(self, source, image, destination, repository, jobs=None):
        return [
            self.program, "copy", "--quiet", "--preserve-digests",
            *self._trust("src", source), *self._trust("dest", destination),
            f"docker://{source.authority}/{image.repository}:{image.tag}",
            f"docker://{destination.authority}/{repository}:{image.tag}",
        ]

    def retag(self, registry, image, tag):
        return [
            self.program, "copy", "--quiet", "--preserve-digests",
            *self._trust("src", registry), *self._trust("dest", registry),
            f"docker://{registry.authority}/{image.repository}:{image.tag}",
            f"docker://{registry.authority}/{image.repository}:{tag}",
        ]

    def copy_all(self, source, repository, destination):
        folder = os.path.dirname(repository)
        return [
            self.program, "sync", "--preserve-digests", "--src", "docker", "--dest", "docker",
            *self._trust("src", source), *self._trust("dest", destination),
            f"{source.authority}/{repository}", os.path.join(destination.authority, folder),
        ]

    def save(self, source, image, folder):
        return [
            self.program, "copy", "--quiet", "--preserve-digests", *self._trust("src", source),
            f"docker://{source.authority}/{image.repository}:{image.tag}", f"oci:{folder}:{image.tag}",
        ]

    def load(self, folder, image, destination):
        return [
            self.program, "copy", "--quiet", "--preserve-digests", *self._trust("dest", destination),
            f"oci:{folder}:{image.tag}", f"docker://{destination.authority}/{image.repository}:{image.tag}",
        ]


class Crane(Client):
    name = "crane"
    asks_version = ("version",)
    copies_all = True

    def copy(self, source, image, destination, repository, jobs=None):
        return [
            self.program, "copy", f"{source.authority}/{image.repository}:{image.tag}",
            f"{destination.authority}/{repository}:{image.tag}", *([] if source.certificate else ["--insecure"]),
        ]

    def retag(self, registry, image, tag):
        return [
            self.program, "tag", f"{registry.authority}/{image.repository}:{image.tag}", tag,
            *([] if registry.certificate else ["--insecure"]),
        ]

    def copy_all(self, source, repository, destination):
        return [
            self.program, "copy", "--all-tags", f"{source.authority}/{repository}",
            f"{destination.authority}/{repository}", *([] if source.certificate else ["--insecure"]),
        ]


class Regctl(Client):
    name = "regctl"
    asks_version = ("version",)

    def _hosts(self, *registries):
        plain = (r for r in registries if not r.certificate)
        return [option for r in plain for option in ("--host", f"reg={r.authority},tls=disabled")]

    def copy(self, source, image, destination, repository, jobs=None):
        return [
            self.program, *self._hosts(source, destination), "image", "copy",
            f"{source.authority}/{image.repository}:{image.tag}",
            f"{destination.authority}/{repository}:{image.tag}",
        ]

    def retag(self, registry, image, tag):
        return [
            self.program, *self._hosts(registry), "image", "copy",
            f"{registry.authority}/{image.repository}:{image.tag}", f"{registry.authority}/{image.repository}:{tag}",
        ]


class Oras(Client):
    name = "oras"
    asks_version = ("version",)

    def copy(self, source, image, destination, repository, jobs=None):
        ends = [("from", source), ("to", destination)]
        return [
            self.program, "copy",
            *(o for end, r in ends for o in (
                [f"--{end}-ca-file", r.certificate.authority] if r.certificate else [f"--{end}-plain-http"]
            )),
            f"{source.authority}/{image.repository}:{image.tag}",
            f"{destination.authority}/{repository}:{image.tag}",
        ]

    def retag(self, registry, image, tag):
        trust = ["--ca-file", registry.certificate.authority] if registry.certificate else ["--plain-http"]
        return [self.program, "tag", *trust, f"{registry.authority}/{image.repository}:{image.tag}", tag]


class Yardstick:
    """A yardstick, not a client: the cost of a part of the job alone."""

    def __init__(self, program):
        self.program = program

    def forget(self):
        pass

    def environment(self, _=None):
        return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}

    def command(self, store, image, source, destination):
        raise NotImplementedError

    @staticmethod
    def uploads(image, destination):
        """Each layer with the address of an open upload; opening it isn't timed."""
        for layer in image.layers:
            yield layer, f"{destination.open_upload(image.repository)}&digest={layer['digest']}"


class Floor(Yardstick):
    """`curl -T` from files, with a process for each layer, all at once: uploads only, and no hashing."""

    name = "curl -T"
    shown = "curl -T LAYER UPLOAD &   # for each layer"

    def command(self, store, image, source, destination):
        trust = f" --cacert {destination.certificate.authority}" if destination.certificate else ""
        puts = " ".join(
            f"{self.program} -qfsS --noproxy '*' --http1.1{trust} -H 'Content-Type: application/octet-stream' "
            f"-o /dev/null -T '{store.path(layer['digest'])}' '{address}' & all=\"$all $!\";"
            for layer, address in self.uploads(image, destination)
        )
        return ["sh", "-c", f"all=; {puts} for one in $all; do wait $one || exit 1; done"]


class BareLoop(Yardstick):
    """tools/bareloop.c, which only receives, hashes and sends."""

    name = "bare loop"
    shown = "bareloop [--tls] SOURCE DESTINATION LAYER..."

    def command(self, store, image, source, destination):
        blobs = [
            (f"/v2/{image.repository}/blobs/{layer['digest']}", address.removeprefix(destination.base), str(layer["size"]))
            for layer, address in self.uploads(image, destination)
        ]
        return [
            self.program, *(["--tls"] if destination.certificate else []), str(source.port), str(destination.port),
            *(argument for blob in blobs for argument in blob),
        ]


def version_of(program, *arguments):
    """The first line of a program's version, or None if the program isn't installed."""
    try:
        said = subprocess.run([program, *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    lines = (said.stdout or said.stderr).splitlines()
    return lines[0].strip() if lines else None


def present(scratch):
    """This project's program first, then an earlier build if one is named, then skopeo and other clients on PATH."""
    wanted = [Skopeo, Crane, Regctl, Oras]
    earlier = [Before(scratch)] if workplace.EARLIER_BINARY else []
    return [Replicate(scratch), *earlier, *(kind(scratch) for kind in wanted if shutil.which(kind.name))]


def yardsticks():
    found = [Floor(shutil.which("curl"))]
    bare = workplace.compiled("bareloop", "ssl", "crypto", "pthread")
    return [*found, BareLoop(bare)] if bare else found
