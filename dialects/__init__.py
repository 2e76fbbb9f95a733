"""The protocols of other attendance systems, a folder each: pure translation to and from the core.

None imports another, nor a model; deleting one and its mount leaves everything else working.
"""
