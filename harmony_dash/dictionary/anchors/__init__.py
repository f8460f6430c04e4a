"""Published comparisons of treatments, with their citations: data to read beside an answer."""

from harmony_dash.dictionary.anchors.load import PublishedAnchor, load_anchors

__all__ = ["PublishedAnchor", "load_anchors"]
