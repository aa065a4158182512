"""Which code a row was made with, where a method has several: what stands behind its label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lrfer_bench.store.edits import code_of, newest_edits

if TYPE_CHECKING:
    from lrfer_bench.reporting.frame import Result


def origins(results: Sequence[Result]) -> dict[str, str]:
    """Key of a record -> "@2" and " from mine.py sha256:0a1b2c3d4e5f" where needed, else "".

    A version stands where a label has several, a source where one version of it has several codes.
    Of a plugin file's codes the newest edit has no source behind it, and older versions and edits
    are told from it under any settings and under any name of the file.
    """
    names = {result.record.key: result.method_name for result in results}
    versions: dict[str, set[str]] = defaultdict(set)
    packages: dict[tuple[str, str], set[str]] = defaultdict(set)
    for result in results:
        method = result.record.method
        versions[result.label].add(method.version)
        if method.plugin_file:
            versions[result.method_name].add(method.version)
        else:
            packages[result.label, method.version].add(method.source)
    pairs = [(result.store, result.record) for result in results]
    newest = newest_edits(pairs, lambda one: (names[one.key], one.method.version))
    called = newest_edits(pairs, lambda one: code_of(one.method.source))
    found = {}
    for result in results:
        key, method = result.record.key, result.record.method
        edit = newest.get((result.method_name, method.version), "")
        several = versions[result.label]
        if method.plugin_file:
            several = several | versions[result.method_name]
            older = code_of(method.source) != code_of(edit)
        else:
            older = bool(edit) or len(packages[result.label, method.version]) > 1
        mark = f"@{method.version}" if len(several) > 1 else ""
        source = called.get(code_of(method.source), method.source)
        found[key] = f"{mark} from {source}" if older else mark
    return found
