#!/usr/bin/env python3
"""Puts the image together without a container engine: image/assemble.py FOLDER ARCHIVE [NAME=VALUE…].

FOLDER is what image/build.sh wrote. ARCHIVE becomes an image in the OCI layout, as podman, skopeo and newer versions of Docker
load it. What goes where, the user, the labels and so on are read from the last stage of the Dockerfile; NAME=VALUE sets its
arguments. The same input gives the same bytes, with the same zlib.
"""

import gzip
import hashlib
import io
import json
import os
import platform
import re
import shlex
import sys
import tarfile
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def last_stage(given):
    """The instructions of the Dockerfile's last stage, with its arguments put in."""
    text = (ROOT / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    stage, arguments = [], {}
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        instruction, rest = line.split(None, 1)
        if instruction == "FROM":
            stage, base = [], rest
        elif instruction == "ARG":
            name, _, default = rest.partition("=")
            arguments[name] = given.get(name, default)
        else:
            stage.append((instruction, re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], rest)))
    if base != "scratch":
        sys.exit(f"the last stage of the Dockerfile is from {base}, and must be from scratch")
    unknown = given.keys() - arguments.keys()
    if unknown:
        sys.exit(f"the Dockerfile has no argument {', '.join(sorted(unknown))}")
    return stage


def entry(archive, name, content, mode, time):
    """Adds a file to a tar archive, or a folder where there is no content."""
    info = tarfile.TarInfo(name)
    info.mode, info.mtime = mode, time
    if content is None:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    else:
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))


def layer(files, time):
    """A tar archive of `files`, a map of path to content and mode, with the folders that they are in."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        folders = {str(parent) for path in files for parent in Path(path).parents if str(parent) != "."}
        for folder in sorted(folders):
            entry(archive, folder, None, 0o755, time)
        for path in sorted(files):
            content, mode = files[path]
            entry(archive, path, content, mode, time)
    return buffer.getvalue()


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def main():
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    time = int(os.environ["SOURCE_DATE_EPOCH"])
    created = datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    machine = ARCHITECTURES[platform.machine()]
    config, files = {"Env": ["PATH=/usr/local/bin"]}, {}
    for instruction, rest in last_stage(dict(word.split("=", 1) for word in sys.argv[3:])):
        if instruction == "LABEL":
            config["Labels"] = dict(word.split("=", 1) for word in shlex.split(rest))
        elif instruction == "COPY":
            options, source, path = re.fullmatch(r"((?:--\S+ )*)(\S+) (\S+)", rest).groups()
            mode = int(re.search(r"--chmod=(\d+)", options)[1], 8)
            stage, name = source.removeprefix("/").split("/", 1)
            content = ({"out": folder, "src": ROOT}[stage] / name).read_bytes()
            files[path.removeprefix("/")] = (content, mode)
        elif instruction == "USER":
            config["User"] = rest
        elif instruction == "EXPOSE":
            config["ExposedPorts"] = {f"{port}/tcp": {} for port in rest.split()}
        elif instruction == "ENTRYPOINT":
            config["Entrypoint"] = json.loads(rest)
        else:
            sys.exit(f"the Dockerfile's last stage has {instruction}, which is not known here")
    blobs = {}

    def blob(media_type, content):
        blobs[digest(content)] = content
        return {"mediaType": media_type, "digest": digest(content), "size": len(content)}

    def document(media_type, content):
        return blob(media_type, json.dumps(content, sort_keys=True).encode())

    plain = layer(files, time)
    history = [{"created": created, "created_by": "image/assemble.py"}]
    described = document("application/vnd.oci.image.config.v1+json", {
        "created": created, "architecture": machine, "os": "linux", "config": config, "history": history,
        "rootfs": {"type": "layers", "diff_ids": [digest(plain)]},
    })
    packed = blob("application/vnd.oci.image.layer.v1.tar+gzip", gzip.compress(plain, mtime=0))
    manifest = document("application/vnd.oci.image.manifest.v1+json", {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": described,
        "layers": [packed], "annotations": config["Labels"],
    })
    version = config["Labels"]["org.opencontainers.image.version"]
    manifest["platform"] = {"architecture": machine, "os": "linux"}
    manifest["annotations"] = {"org.opencontainers.image.ref.name": version}
    index = {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest],
    }
    content = {f"blobs/sha256/{name.removeprefix('sha256:')}": (text, 0o644) for name, text in blobs.items()}
    content["oci-layout"] = (b'{"imageLayoutVersion":"1.0.0"}', 0o644)
    content["index.json"] = (json.dumps(index, sort_keys=True).encode(), 0o644)
    target.write_bytes(layer(content, time))
    print(f"{target}: {manifest['digest']}")


if __name__ == "__main__":
    main()
