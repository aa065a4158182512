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
    of_label: dict[str, set[str]] = defaultdict(set)
    of_plugin: dict[str, set[str]] = defaultdict(set)
    packages: dict[tuple[str, str], set[str]] = defaultdict(set)
    for result in results:
        method = result.record.method
        of_label[result.label].add(method.version)
        if method.plugin_file:
            of_plugin[result.method_name].add(method.version)
        else:
            packages[result.label, method.version].add(method.source)
    newest, called = _newest(results)
    found = {}
    for result in results:
        method = result.record.method
        versions, edit = of_label[result.label], newest.get((result.method_name, method.version))
        needs_source = edit is not None and code_of(method.source) != code_of(edit)
        if method.plugin_file:
            versions = versions | of_plugin[result.method_name]
        else:
            needs_source |= len(packages[result.label, method.version]) > 1
        version = f"@{method.version}" if len(versions) > 1 else ""
        source = called.get(code_of(method.source), method.source)
        found[result.record.key] = f"{version} from {source}" if needs_source else version
    return found


def _newest(
    results: Sequence[Result],
) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """(method's name, its version) -> source of its newest edit; code -> its source of today.

    One code under two names of its file is called by the newer one.
    """
    names = {result.record.key: result.method_name for result in results}
    pairs = [(result.store, result.record) for result in results]
    newest = newest_edits(pairs, lambda one: (names[one.key], one.method.version))
    return newest, newest_edits(pairs, lambda one: code_of(one.method.source))
