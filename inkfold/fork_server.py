"""Imported by the process that workers are forked from: it removes its socket's folder at its end.

That folder lies among the system's temporary files. The process that made it removes it as well,
unless it is killed; this one ends, in the ordinary way, soon after that.
"""

from __future__ import annotations

import atexit
import os
import shutil

from inkfold.workers import SOCKET_FOLDER

# Taken out of the environment, so that no program that a worker starts can remove it. Workers end
# without what is registered here.
if folder := os.environ.pop(SOCKET_FOLDER, ""):
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
