"""Pages for people: HTML from templates, with one stylesheet, without network."""
