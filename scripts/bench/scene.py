"""Code for both benchmarks: starts two registries, runs one client between them, checks the result, counts requests."""

import os
import shutil

import clients
import figures
import images
import measure
import registry
import workplace


class Scene:
    """The source's images, the destination's folder in RAM, and the results.

    - addresses: of source and destination. - far: the destination's network namespace, if any.
    """

    def __init__(self, ram, certificate, addresses=("127.0.0.1", "127.0.0.1"), far=None):
        self.ram, self.certificate = ram, certificate
        self.addresses, self.far = addresses, far
        self.store = images.Store(os.path.join(workplace.KEPT, "source"))
        self.results = figures.Results()
        self._failing = set()

    def registries(self, certificate, holding=None):
        """The source, and a destination that is empty or has an image; neither is started yet."""
        root = os.path.join(self.ram, "destination")
        shutil.rmtree(root, ignore_errors=True)
        if holding:
            images.Store(root).take(self.store, holding)
        near, far = self.addresses
        return (
            registry.Registry("source", self.store.root, self.ram, certificate, near),
            registry.Registry("destination", root, self.ram, certificate, far, self.far),
        )

    def run(self, case, client, command, source, destination, wanted=()):
        """One measured run.

        - wanted: (tag, image) that the destination must hold afterwards.
        - Throws: if this project's program or skopeo fails. Other clients come from PATH in any version; one
          that fails is reported and left out of the case.
        """
        if (case, client.name) in self._failing:
            return
        source.requests()
        destination.requests()
        try:
            done = measure.run(command, client.environment(source))
            done.requests = len(source.requests()) + len(destination.requests())
            for tag, image in wanted:
                if destination.manifest(image.repository, tag) != image.manifest:
                    raise measure.Failed(f"{client.name} left another manifest than it was given")
        except measure.Failed as failure:
            if isinstance(client, (clients.Replicate, clients.Skopeo)):
                raise
            workplace.say(f"{client.name} is left out of '{case}': {failure}")
            self._failing.add((case, client.name))
            return
        command = shown(command, client, source, destination)
        self.note(case, client, done, [_replace(argument, {f"{self.ram}/layout": "LAYOUT"}) for argument in command])

    def note(self, case, client, done, command):
        self.results.add(case, client.name, done, command)
        workplace.say(
            f"{case:10} {client.name:14} {done.wall:7.3f} s, CPU {done.cpu:5.2f} s, {done.peak >> 20:3} MiB"
        )


def shown(command, client, source, destination):
    """The command as a user would type it, without this machine's ports and folders."""
    if isinstance(client, clients.Yardstick):
        return client.shown
    replaced = {client.program: client.name, destination.authority: "DESTINATION", source.authority: "SOURCE"}
    if source.certificate:
        replaced |= {source.certificate.authority: "CA.crt", source.certificate.folder: "CA"}
    return [_replace(argument, replaced) for argument in command]


def _replace(argument, replaced):
    for text, other in replaced.items():
        argument = argument.replace(text, other)
    return argument
