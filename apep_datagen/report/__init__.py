"""A dataset as one HTML file: to read its conversations, to find them, to see the whole, and to say what is bad.

`writing` makes the file; `gathering` reads output and state database, `spoken` puts a conversation into what the page
draws, `alikeness` says which are most alike, `overview` what it shows of the whole, `sampling` which conversations are
in it, and `document` makes the file from the sources in `page/`, which are joined as they are. `while_running` has it
written anew as a run goes on; `places` says where it is.
It imports `engine`, `export`, `inspect`, `stats`, `storage`, `quality`, `config`, `conversation`, `language` and
`core`.
"""
