"""What a run is told: options, the configuration file, API keys, and which providers have what they need.

It reads and refuses; it prints nothing, and writes nothing but the template of the secrets file. It imports
`conversation` and `people`, whose files it has read, `formats` and `core`.
"""
