"""When a text says that something is, or was: parts of the day, weekdays, dates, hours, and how sure it is of them.

`names` has the words of times, `forms` how sure a form is, `days` and `hours` the forms; `present` reads what is said
of now, `told` when something was told or written, `clock` how long it is to an hour. It imports `core`.
"""
