"""What would fail on a CUDA device for being elsewhere, or for asking what is there, fails here without one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).with_name("on_fake_cuda.py")
# A build of torch without CUDA has nothing that makes a device the current one.
GUARD = """
#include <c10/core/impl/DeviceGuardImplInterface.h>
static c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::CUDA> guard;
static c10::impl::DeviceGuardImplRegistrar registrar(c10::DeviceType::CUDA, &guard);
"""


@pytest.mark.skipif(shutil.which("g++") is None, reason="the stand-in for CUDA's guard needs a C++ compiler")
@pytest.mark.skipif(torch.version.cuda is not None, reason="this build of torch has a guard of its own")
def test_steps_and_evaluations_stay_on_the_device(tmp_path):
    source, library, home = tmp_path / "guard.cpp", tmp_path / "libguard.so", Path(torch.__file__).parent
    source.write_text(GUARD)
    build = [
        "g++",
        "-std=c++20",
        "-shared",
        "-fPIC",
        f"-I{home}/include",
        str(source),
        f"-L{home}/lib",
        "-lc10",
    ]
    subprocess.run([*build, "-o", str(library)], check=True, capture_output=True, timeout=300)
    # In a process of its own: torch would believe in the device from then on.
    command = [sys.executable, str(SCRIPT), str(library)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert len(lines) == 16
    assert all("unrolled" in line for line in lines)
