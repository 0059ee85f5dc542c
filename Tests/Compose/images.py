"""The images: the programs built on this machine, in what the Dockerfile makes."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from project import ROOT, Failure, run, say

PROGRAMS = ["mesh", "mesh-broker", "publisher"]
BASE = "debian:bookworm-slim"
LIMIT = 120_000_000


def prepare_images(engine):
    prepare_base(engine)
    binaries = build_programs()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        out.mkdir()
        for program in PROGRAMS:
            run(["strip", "-o", out / program, binaries / program])
        import_folder(engine, Path(folder), "actor-mesh-test-binaries")
    for image, target in [("actor-mesh", "node"), ("actor-mesh-broker", "broker")]:
        engine.run(
            "build", "-q", "--build-arg", "BINARIES=actor-mesh-test-binaries", "--target", target, "-t", image, ROOT,
            timeout=300)
        size = int(engine.run("image", "inspect", "-f", "{{.Size}}", image))
        user = engine.run("image", "inspect", "-f", "{{.Config.User}}", image)
        say(f"built {image}: {size / 1e6:.0f} MB, for the user {user}")
        if size >= LIMIT:
            raise Failure(f"{image} has {size / 1e6:.0f} MB; the limit is {LIMIT / 1e6:.0f} MB")
        if user in ("", "0", "root"):
            raise Failure(f"{image} runs as root")


def build_programs():
    """Returns the folder with the programs. The flags are those of CI's release build, which need not be done again."""
    command = ["swift", "build", "-c", "release", "--static-swift-stdlib", "-Xswiftc", "-warnings-as-errors"]
    for program in PROGRAMS:
        say(f"building {program}")
        run([*command, "--product", program], timeout=1800, cwd=ROOT)
    return Path(run([*command, "--show-bin-path"], cwd=ROOT))


def prepare_base(engine):
    if engine.run("image", "inspect", BASE, check=False).returncode == 0:
        return
    if engine.process is None and engine.run("pull", "-q", BASE, check=False, timeout=300).returncode == 0:
        return
    kept = ROOT / ".build" / "compose-test" / "debian-bookworm-slim.tar"
    if not kept.exists():
        make_base(kept)
    engine.run("import", "-c", 'CMD ["bash"]', kept, BASE)


def make_base(archive):
    """What the official image has: a minimal Debian without documentation and package lists."""
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise Failure(f"{BASE} cannot be pulled, and making it needs root's rights and debootstrap")
    say(f"making {BASE} from packages")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mesh-base-") as folder:
        tree = Path(folder) / "tree"
        run(["debootstrap", "--variant=minbase", "bookworm", tree, *mirror()], timeout=600)
        for pattern in [
            "var/lib/apt/lists/*", "var/cache/apt/*.bin", "var/cache/apt/archives/*.deb", "usr/share/doc/*", "usr/share/man/*", "usr/share/info/*",
            "usr/share/locale/*", "usr/share/lintian/*", "var/log/*.log",
        ]:
            for path in tree.glob(pattern):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        partial = archive.with_suffix(".partial")
        run(["tar", "-C", tree, "--numeric-owner", "-cf", partial, "."])
        partial.rename(archive)


def mirror():
    """Where this machine gets its own packages, if it says so; else debootstrap knows."""
    uris = run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Codename: bookworm"])
    return uris.split()[:1]


def import_folder(engine, folder, image):
    tar = subprocess.Popen(
        ["tar", "-C", folder, "--numeric-owner", "-c", "."], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    engine.run("import", "-", image, stdin=tar.stdout)
    tar.stdout.close()
    if tar.wait() != 0:
        raise Failure(f"tar of {folder} failed")
