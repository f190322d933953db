"""Pushes a tiny image to a registry, as any client does, and prints its digest.

registry_push.py URL REPOSITORY TAG NOTE [--user NAME:PASSWORD] [--ca FILE] [--index] [--base DIGEST] [--created TIME]

The note is a label, so that each note makes another digest. With --index the tag
names an index of two platforms; with --base the image says what it was built on.
"""

import argparse
import base64
import gzip
import hashlib
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request

parser = argparse.ArgumentParser()
for name in ("url", "repository", "tag", "note"):
    parser.add_argument(name)
parser.add_argument("--user")
parser.add_argument("--ca")
parser.add_argument("--index", action="store_true")
parser.add_argument("--base")
parser.add_argument("--created", default="2026-01-02T03:04:05Z")
args = parser.parse_args()

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"

context = ssl.create_default_context(cafile=args.ca) if args.ca else None
handlers = [urllib.request.ProxyHandler({})]
if context:
    handlers.append(urllib.request.HTTPSHandler(context=context))
opener = urllib.request.build_opener(*handlers)


def send(method, url, body=None, kind=None):
    request = urllib.request.Request(urllib.parse.urljoin(args.url, url), data=body, method=method)
    if kind:
        request.add_header("content-type", kind)
    if args.user:
        request.add_header("authorization", "Basic " + base64.b64encode(args.user.encode()).decode())
    return opener.open(request, timeout=30)


def name(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def blob(data):
    base = f"/v2/{args.repository}/blobs"
    try:
        send("HEAD", f"{base}/{name(data)}")
    except urllib.error.HTTPError:
        place = send("POST", f"{base}/uploads/", b"").headers["location"]
        place += ("&" if "?" in place else "?") + urllib.parse.urlencode({"digest": name(data)})
        send("PUT", place, data, "application/octet-stream")
    return {"digest": name(data), "size": len(data)}


def manifest(document, kind, tag=None):
    data = json.dumps(document).encode()
    send("PUT", f"/v2/{args.repository}/manifests/{tag or name(data)}", data, kind)
    return {"mediaType": kind, "digest": name(data), "size": len(data)}


def image(architecture, tag=None):
    empty = bytes(1024)
    labels = {"note": args.note}
    if args.base:
        labels["org.opencontainers.image.base.digest"] = args.base
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": args.created,
        "config": {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [name(empty)]},
    }
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, **blob(json.dumps(config).encode())},
        "layers": [{"mediaType": LAYER, **blob(gzip.compress(empty, mtime=0))}],
    }
    entry = manifest(document, MANIFEST, tag)
    return {**entry, "platform": {"os": "linux", "architecture": architecture}}


if args.index:
    entries = [image("arm64"), image("amd64")]
    pushed = manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, INDEX, args.tag)
else:
    pushed = image("amd64", args.tag)
print(pushed["digest"])
