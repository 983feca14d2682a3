"""Sphinx: pages from Markdown, the reference from docstrings and `__all__`."""

import os
import pathlib
import re
import shutil
import sys
import types

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import cells
import tensorflow as tf
from sphinx.ext import autosummary
from sphinx.pycode import ModuleAnalyzer
from sphinx.util import inspect
from sphinx.util.nodes import make_refnode

import ijsat_tf

tf.get_logger().setLevel("ERROR")
# The pages attack: each core takes a part of the batch.
tf.config.threading.set_intra_op_parallelism_threads(1)

project = "ijsat_tf"
version = release = ijsat_tf.__version__
html_title = f"{project} {version}"
html_theme = "furo"
html_copy_source = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["output.css"]
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
templates_path = ["_templates"]
myst_heading_anchors = 2

default_role = "py:obj"
highlight_language = "none"
autodoc_default_options = {
    "members": True,
    "member-order": "bysource",
    "no-value": True,
    "show-inheritance": True,
    "special-members": "__call__",
}
# Else every layer would tell again what Keras' layers have.
autodoc_inherit_docstrings = False
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 60
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]
autosummary_ignore_module_all = False
autosummary.WELL_KNOWN_ABBREVIATIONS += ("Eq.", "Fig.")


def _elsewhere(package, pages, found):
    """{a further public name of an object: its first one}."""
    modules = []
    for name in package.__all__:
        each, full = getattr(package, name), f"{package.__name__}.{name}"
        first = pages.setdefault(id(each), full)
        if first != full:
            found[full] = first
        if isinstance(each, types.ModuleType) and hasattr(each, "__all__"):
            modules.append(each)
    for module in modules:
        _elsewhere(module, pages, found)
    return found


autosummary_context = {"elsewhere": _elsewhere(ijsat_tf, {}, {})}


def _constant(name):
    """The text below a constant's assignment, wherever it is imported from."""
    package, _, constant = name.rpartition(".")
    for module in sorted(sys.modules):
        if module.startswith(f"{package}."):
            texts = ModuleAnalyzer.for_module(module).find_attr_docs()
            if ("", constant) in texts:
                return texts["", constant]
    return []


def plain_text(app, what, name, obj, options, lines):
    """Docstrings are plain text with `code`; what is indented is shown as it
    is, and other marks of reStructuredText mean themselves."""
    shown, depth, literal = [], 0, None
    for line in _constant(name) if what == "data" else lines:
        indent = len(line) - len(line.lstrip())
        if line and literal is not None and indent < literal:
            literal = None
        if line and literal is None:
            if shown and not shown[-1] and indent > depth:
                shown += [" " * depth + "::", ""]
                literal = indent
            depth = indent
        shown.append(line if literal is not None else _escaped(line))
    lines[:] = shown


def _escaped(line):
    parts = line.split("`")
    parts[::2] = [
        # Emphasis, substitutions, references; "N." alone is no item of a list.
        re.sub(r"([*|\\]|_(?!\w)|(?<=: )\w(?=\.$))", _backslash, part)
        for part in parts[::2]
    ]
    return "`".join(parts)


def _backslash(found):
    return f"\\{found[0]}"


def constructor(app, what, name, obj, options, signature, returned):
    """Keras makes its objects by a `__new__` that tells no arguments."""
    if what == "class" and signature == "(*args, **kwargs)":
        own = inspect.signature(obj.__init__, bound_method=True)
        signature = inspect.stringify_signature(
            own, unqualified_typehints=True, show_return_annotation=False
        )
    return signature, returned


def fields_of_tuples(app, what, name, obj, skip, options):
    """`Attributes:` tells of them."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def by_last_name(app, env, node, contnode):
    """A link for `Linf(8 / 255)` or `spaces.Fog`, where there is one alone."""
    called = re.match(r"[\w.]*", node["reftarget"])[0]
    if node.get("refdomain") != "py" or not re.search(r"[A-Z.]", called):
        return None
    found = {
        entry.node_id: entry
        for name, entry in env.domains["py"].objects.items()
        if f".{name}".endswith(f".{called}") and not entry.aliased
    }
    if len(found) != 1:
        return None
    (entry,) = found.values()
    return make_refnode(
        app.builder,
        node["refdoc"],
        entry.docname,
        entry.node_id,
        contnode,
    )


def with_output(app, page, source):
    """A page as its cells run, with what they write beside the page."""
    if page in cells.PAGES and app.config.run_cells:
        folder = pathlib.Path(app.outdir) / page
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _, source[0] = cells.run(pathlib.Path(app.env.doc2path(page)), folder)


def setup(app):
    app.add_config_value("run_cells", True, "env", bool)
    app.connect("source-read", with_output)
    # Before napoleon, which turns plain text into reStructuredText.
    app.connect("autodoc-process-docstring", plain_text, priority=100)
    app.connect("autodoc-process-signature", constructor)
    app.connect("autodoc-skip-member", fields_of_tuples)
    app.connect("missing-reference", by_last_name)
