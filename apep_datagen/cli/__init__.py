"""The command line: `app` declares the commands, has one function do each, and prints errors.

Everything slow is imported when its command runs. It imports every other package, and none imports it.
"""
