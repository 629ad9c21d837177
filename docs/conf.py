"""The site: `sphinx-build -W --keep-going docs docs/_build/html` builds it, offline."""

import html
import inspect
import os
import re
import textwrap
import tomllib
from functools import reduce
from importlib import import_module
from pathlib import Path

from docutils import nodes
from sphinx import addnodes

import sklearn_makemore

project = "sklearn_makemore"
author = "sklearn_makemore developers"
copyright = "sklearn_makemore developers"
release = version = sklearn_makemore.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",  # a copy of MathJax in the built site
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "benchmarks", "data"]
nitpicky = True
default_role = "literal"  # single backticks, as scikit-learn has them
toc_object_entries_show_parents = "hide"

# -- API reference

autosummary_generate = True
numpydoc_show_class_members = False  # the template lists the methods
numpydoc_xref_param_type = False
autodoc_typehints = "none"  # the sections "Parameters" and "Returns" tell the types


def public_methods(module, name):
    """Return the methods of a class, also inherited ones, but not those of torch."""
    methods = inspect.getmembers(getattr(import_module(module), name), callable)
    return [
        method
        for method, found in methods
        if not method.startswith("_")
        and inspect.isroutine(found)
        and found.__module__.startswith(("sklearn", "skorch"))
    ]


# The first group whose names a method is in; all others are those of scikit-learn.
METHOD_GROUPS = {
    "Learn": "fit partial_fit merge prune fit_transform fit_predict to_net",
    "Score": "score nll perplexity score_samples token_log_proba predict_proba rank "
    "predict predict_log_proba decision_function transform get_feature_names_out",
    "Sample": "sample most_likely iter_most_likely novelty_report",
    "ARPA files": "to_arpa from_arpa",
}
GUIDE_PAGES = {
    "BigramCounter": "ngrams",
    "NGramCounter": "ngrams",
    "BigramCharLM": "bigram_network",
    "BoWCharLM": "bow",
    "MLPCharLM": "mlp",
    "WaveNetCharLM": "wavenet",
    "RNNCharLM": "recurrent",
    "GRUCharLM": "recurrent",
    "LSTMCharLM": "recurrent",
    "TransformerCharLM": "transformer",
    "MixtureCharLM": "mixture",
    "ConditionalCharLM": "conditional",
    "CharLMClassifier": "pipelines",
    "CharLMFeatures": "pipelines",
    "CharLMOutlierDetector": "pipelines",
    "NoveltyReport": "sampling",
    "save": "persistence",
    "load": "persistence",
    "train_dev_test_split": "searching",
    "lr_range_test": "searching",
    "fit_counter": "scaling_out",
}


def grouped_methods(module, name):
    """Return pairs of a heading and the methods below it."""
    left = public_methods(module, name)
    groups = []
    for heading, wanted in METHOD_GROUPS.items():
        groups.append((heading, [one for one in wanted.split() if one in left]))
        left = [one for one in left if one not in wanted.split()]
    titles = "Parameters and metadata" if groups[0][1] else "Methods"
    return [(title, found) for title, found in [*groups, (titles, left)] if found]


autosummary_context = {
    "grouped_methods": grouped_methods,
    "guide_pages": GUIDE_PAGES,
}
suppress_warnings = ["config.cache"]  # the context has a function: cannot be pickled

# -- Links to the source

with open(Path(__file__).parents[1] / "pyproject.toml", "rb") as file:
    SOURCE = tomllib.load(file)["project"]["urls"]["Source"]
PACKAGE = Path(sklearn_makemore.__file__).resolve().parent
COMMIT = os.environ.get("READTHEDOCS_GIT_COMMIT_HASH", "main")


def linkcode_resolve(domain, info):
    """Return the address of the lines of an object, None if they are not ours."""
    module = import_module(info["module"])
    found = inspect.unwrap(reduce(getattr, info["fullname"].split("."), module))
    found = getattr(found, "fget", found)  # of a property, the function
    try:
        path = Path(inspect.getsourcefile(found)).resolve().relative_to(PACKAGE)
        lines, first = inspect.getsourcelines(found)
    except (TypeError, ValueError):  # data, or an object of another package
        return None
    last = first + len(lines) - 1
    file = f"{PACKAGE.name}/{path.as_posix()}"
    return f"{SOURCE}/blob/{COMMIT}/{file}#L{first}-L{last}"


# -- Links to other projects

# The inventories are on the internet; only the build of the published site reads them.
if os.environ.get("READTHEDOCS"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
        "skorch": ("https://skorch.readthedocs.io/en/stable", None),
        "torch": ("https://docs.pytorch.org/docs/stable", None),
    }

# In other builds, references to other projects stay plain text. So do references in the
# docstrings that estimators inherit from scikit-learn.
nitpick_ignore_regex = [(r"py:.*", r"(?!.*sklearn_makemore).*")]
TARGETS_IN_SKLEARN = {
    "accuracy_score",
    "df_output_transform",
    "meta-estimator",
    "metadata_routing",
    "sphx_glr_auto_examples_miscellaneous_plot_set_output.py",
}


def leave_as_text(app, env, node, content):
    """Show a reference to scikit-learn's documentation as plain text."""
    return content if node["reftarget"] in TARGETS_IN_SKLEARN else None


# -- Descriptions for search engines

MAX_DESCRIPTION_LENGTH = 160  # search engines cut off what is longer


def plain_text(paragraph):
    """Return the text of a paragraph without its footnotes."""
    texts = [
        text
        for text in paragraph.findall(nodes.Text)
        if not isinstance(text.parent, nodes.footnote_reference)
    ]
    return re.sub(r"\s+(?=[.,])", "", "".join(texts))


def describe(app, pagename, templatename, context, doctree):
    """Describe a page by its first paragraph, unless it has a description.

    The first paragraph of an object is the summary of its docstring.
    """
    if not doctree or 'name="description"' in context["metatags"]:
        return
    first = {}
    for paragraph in doctree.findall(nodes.paragraph):
        first.setdefault(type(paragraph.parent), plain_text(paragraph))
    text = first.get(addnodes.desc_content) or first.get(nodes.section, "")
    text = textwrap.shorten(text, MAX_DESCRIPTION_LENGTH, placeholder=" ...")
    tag = f'<meta name="description" content="{html.escape(text)}" />\n'
    context["metatags"] += tag


def setup(app):
    """Connect the functions above."""
    # After intersphinx, if it is loaded.
    app.connect("missing-reference", leave_as_text, priority=900)
    app.connect("html-page-context", describe)


# -- Gallery

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "subsection_order": [
        "../examples/lectures",
        "../examples/generation",
        "../examples/meta_estimators",
    ],
    "within_subsection_order": "FileNameSortKey",
    "doc_module": ("sklearn_makemore",),
    "backreferences_dir": "generated/backreferences",
    "download_all_examples": False,
    "write_computation_times": False,
    "remove_config_comments": True,
    "show_signature": False,
}

# -- Appearance

PAGES_WITHOUT_SIBLINGS = (
    "index",
    "install",
    "recipes",
    "works_with",
    "lectures",
    "tutorials",
    "faq",
    "adding_a_model",
    "architecture",
    "contributing",
    "releasing",
    "changelog",
)

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_makemore"
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_search_scorer = str(Path(__file__).with_name("search_scorer.js"))
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "sklearn_makemore", "alt_text": "sklearn_makemore"},
    "show_toc_level": 2,
    "header_links_before_dropdown": 5,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {page: [] for page in PAGES_WITHOUT_SIBLINGS}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True
