#!/usr/bin/env bash
# builder/Dockerfile for real: built with buildah (chroot isolation, on base images made
# by debootstrap, since no registry need be within reach), then run as the rendered Jobs
# run it: their very commands, as user 1000, on a read-only root file system, against a
# real git server.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/servers.sh"

[ "$(id -u)" = 0 ] || skip "root is needed to make base images and to mount"
package buildah buildah && package debootstrap debootstrap && package unshare util-linux || skip "buildah or debootstrap cannot be installed"
unshare --mount mount --bind /tmp /tmp 2>/dev/null || skip "no mounts can be made here"
venv=$(venv "$ROOT/tests/e2e/requirements.txt") || skip "PyYAML cannot be installed"
SCRATCH=$WORK/builder
mkdir -p "$SCRATCH"
IMAGE=localhost/image-factory:e2e
buildah() { command buildah --root "$SCRATCH/storage" --runroot "$SCRATCH/run" --storage-driver "${DRIVER:-overlay}" "$@"; }
buildah images >/dev/null 2>&1 || DRIVER=vfs
unmount() { [ -z "${CONTAINER:-}" ] || buildah rm "$CONTAINER" >/dev/null 2>&1; stop_servers; }
trap unmount EXIT

# --- the base images ------------------------------------------------------------

rootfs=$SCRATCH/debian.tar
if [ ! -e "$rootfs" ]; then
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' | awk '$2 == "bookworm" { print $1; exit }')
    [ -n "$mirror" ] || skip "this machine's apt knows no Debian 12"
    rm -rf "$SCRATCH/debian"
    debootstrap --variant=minbase bookworm "$SCRATCH/debian" "$mirror" >"$SCRATCH/debootstrap.log" 2>&1 ||
        { tail -3 "$SCRATCH/debootstrap.log"; skip "debootstrap found no Debian 12 to install"; }
    tar -C "$SCRATCH/debian" -cf "$rootfs.partial" . && mv "$rootfs.partial" "$rootfs"
    rm -rf "$SCRATCH/debian"
fi
base() { # base NAME PACKAGE...: an image of Debian with these packages
    local name=$1 container
    shift
    buildah inspect --type image "$name" >/dev/null 2>&1 && return
    container=$(buildah from scratch) || return 1
    buildah add --quiet "$container" "$rootfs" / >/dev/null || return 1
    if [ $# -gt 0 ]; then
        buildah run --isolation chroot "$container" -- sh -c \
            'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"' sh "$@" >"$SCRATCH/base.log" 2>&1 || return 1
    fi
    buildah config --env CARGO_HOME=/usr/local/cargo \
        --env PATH=/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container" || return 1
    buildah commit --quiet "$container" "$name" >/dev/null && buildah rm "$container" >/dev/null
}
base localhost/debian || die "no base image"
# Stands for the official Rust image; the toolchain itself is this machine's.
base localhost/rust gcc libc6-dev cmake make perl ca-certificates || { tail -3 "$SCRATCH/base.log"; die "no Rust image"; }

# --- the build --------------------------------------------------------------------

toolchain=$(cd "$ROOT" && rustc --print sysroot) && [ -x "$toolchain/bin/cargo" ] || skip "no Rust toolchain here"
registry=${CARGO_HOME:-$HOME/.cargo}/registry
(cd "$ROOT" && cargo fetch --locked --quiet) || die "the dependencies cannot be fetched"
started=$SECONDS
# What is committed, as a user's clone has it.
rm -rf "$SCRATCH/source" && mkdir "$SCRATCH/source" && git -C "$ROOT" archive HEAD | tar -x -C "$SCRATCH/source"
buildah build --isolation chroot --quiet --layers --build-arg RUST_IMAGE=localhost/rust --build-arg DEBIAN_IMAGE=localhost/debian \
    --volume "$toolchain:/usr/local/rust:ro" --volume "$registry:/usr/local/cargo/registry" \
    --file "$SCRATCH/source/builder/Dockerfile" --tag "$IMAGE" "$SCRATCH/source" >"$SCRATCH/build.log" 2>&1 ||
    { tail -20 "$SCRATCH/build.log"; die "builder/Dockerfile does not build"; }
say "built in $((SECONDS - started)) s: $(buildah images --format '{{.Size}}' "$IMAGE")"
user=$(buildah inspect --type image --format '{{.OCIv1.Config.User}}' "$IMAGE")
[ "$user" = 1000:1000 ] || die "the image runs as user '$user'"
CONTAINER=$(buildah from "$IMAGE") || die "no container"
image=$(buildah mount "$CONTAINER") || die "the image cannot be mounted"
# The runtime makes the folders that volumes are mounted to; so does kubelet.
mkdir -p "$image/workspace" "$image/var/run/secrets/image-factory/registry"
touch "$image/etc/resolv.conf"

# --- the Jobs -----------------------------------------------------------------------

PASSWORD=git-password-c08d
rm -rf "$SCRATCH/repos" "$SCRATCH/work" "$SCRATCH/clone" && mkdir -p "$SCRATCH/repos" "$SCRATCH/work"
git_server "$SCRATCH/repos" robot "$PASSWORD" || skip "lighttpd cannot be installed"
"$venv/bin/python" "$ROOT/tests/e2e/factory.py" "$SCRATCH/repos" "$GIT_URL" 2 || die "the repositories cannot be made"
at_head() { git -C "$SCRATCH/repos/factory.git" show "main:$1"; }
pod() { # pod NAME DIST KIND OBJECT ARG...
    local name=$1 dist=$2
    shift 2
    "$venv/bin/python" "$ROOT/tests/e2e/pod.py" "$dist" "$image" "$@" --work "$SCRATCH/work/$name" \
        --secret image-factory-git/username=robot --secret "image-factory-git/password=$PASSWORD" >"$SCRATCH/$name.log" 2>&1 ||
        { tail -20 "$SCRATCH/$name.log"; die "the Job $name failed"; }
}

# The first dist, as a person makes it: by synth and discover from a clone.
run_here() { (cd "$SCRATCH/clone" && env -i PATH="$PATH" HOME="$SCRATCH" GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="credential.$GIT_URL.helper" \
    GIT_CONFIG_VALUE_0="!f() { printf 'username=robot\npassword=$PASSWORD\n'; }; f" "$@"); }
mkdir "$SCRATCH/clone" && run_here git clone --quiet "$GIT_URL/factory.git" . || die "no clone"
run_here "$image/usr/local/bin/image-factory" discover --commit --push >"$SCRATCH/discover.log" 2>&1 || { tail -20 "$SCRATCH/discover.log"; die "discover"; }
digest=sha256:$(printf 'a build' | sha256sum | cut -d' ' -f1)
commit=$(git -C "$SCRATCH/repos/apps.git" rev-parse main)

pod analyze "$SCRATCH/clone/dist" stage analyze-dockerfile-app-00 imageTag=1.10 imageDigest="$digest" \
    sourceCommit="$commit" freight=quiet-otter
at_head state/images/app-00.yaml | grep -q "^currentVersion: \"1.10\"\$" || die "the analysis was not pushed"
say "analyze-dockerfile-app-00: $(git -C "$SCRATCH/repos/factory.git" log -1 --format=%s main)"

pod record "$SCRATCH/clone/dist" stage track-library-base-0 tag=0 digest="$digest" freight=quiet-otter
at_head "state/base-images/library-base-0.yaml" | grep -q "$digest" || die "the digest was not pushed"
say "track-library-base-0: $(git -C "$SCRATCH/repos/factory.git" log -1 --format=%s main)"
say "passed: builder/Dockerfile builds, and runs the Jobs of the manifests"
