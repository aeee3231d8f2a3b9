"""Programs that copy folders, with the time that they take to start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from functools import partial

from benchmarks.transfer_peers import Ready
from benchmarks.transfer_places import BUCKET, Job

REGION = "us-east-1"


def program(name: str) -> str:
    """Return where a program is.

    Raises:
        FileNotFoundError: it is not installed.
    """
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found


def command(*words: str, given: str = "", **more: str) -> Ready:
    """Return a run of a program, with words for its input and for its environment."""
    return partial(
        subprocess.run, [program(words[0]), *words[1:]], check=True, input=given.encode(),
        stdout=subprocess.DEVNULL, env={**os.environ, **more},
    )  # fmt: skip


def ends(job: Job, remote: str, local: str) -> tuple[str, str]:
    return (local, remote) if job.up else (remote, local)


def rclone(job: Job, at_once: int = 0) -> Ready:
    found = job.servers
    remote = f":s3:{BUCKET}/{job.remote}"
    if job.kind == "sftp":
        login = f"port={found.ssh_port},key_file={found.ssh_key},user={found.ssh_user}"
        login += ",disable_hashcheck=true" if at_once else ""  # else it starts a shell there for each file
        remote = f":sftp,host=127.0.0.1,{login}:{job.remote}"
    return command(
        "rclone", "--config", os.devnull, "--quiet", "copy",
        *(("--transfers", f"{at_once}", "--checkers", f"{at_once}") if at_once else ()),
        *ends(job, remote, job.local),
        RCLONE_S3_PROVIDER="SeaweedFS", RCLONE_S3_ENDPOINT=found.s3_url, RCLONE_S3_REGION=REGION,
        RCLONE_S3_ACCESS_KEY_ID=found.key, RCLONE_S3_SECRET_ACCESS_KEY=found.secret,
        RCLONE_S3_NO_CHECK_BUCKET="true",
    )  # fmt: skip


def s5cmd(job: Job) -> Ready:
    found, there = job.servers, f"s3://{BUCKET}/{job.remote}/"
    return command(
        "s5cmd", "--endpoint-url", found.s3_url, "cp",
        *(ends(job, there, f"{job.local}/") if job.up else (f"{there}*", f"{job.local}/")),
        AWS_ACCESS_KEY_ID=found.key, AWS_SECRET_ACCESS_KEY=found.secret, AWS_REGION=REGION,
    )  # fmt: skip


def openssh(job: Job) -> Ready:
    found = job.servers
    line = f"put -r {job.local}/* {job.remote}/" if job.up else f"get -r {job.remote}/* {job.local}/"
    return command(
        "sftp", "-q", "-b", "-", "-P", str(found.ssh_port), "-i", found.ssh_key,
        "-c", "aes128-gcm@openssh.com", "-o", "StrictHostKeyChecking=no",
        "-o", "UserKnownHostsFile=/dev/null", "-F", os.devnull,
        f"{found.ssh_user}@127.0.0.1", given=f"{line}\n",
    )  # fmt: skip


def cp(job: Job) -> Ready:
    return command("cp", "-r", f"{job.local}/.", job.remote)


def rsync(job: Job) -> Ready:
    return command("rsync", "--recursive", f"{job.local}/", f"{job.remote}/")
