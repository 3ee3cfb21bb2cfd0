"""What people say of a dataset's conversations: taken in, undone, counted, and asked for in a terminal.

    verdicts_file   a file of verdicts, read and written
    known           which conversations there are, by the digests of their texts
    dependents      which later ones used what one has stored
    deciding        what follows of verdicts: what leaves the output, and what comes back
    applying        all of it in one transaction; or, where another process works on the output, kept for that one
    asking          one conversation after the other in a terminal
    status, labels  what was said, and what follows for all

It imports `terminal`, `storage`, `quality`, `conversation` and `core`.
"""
