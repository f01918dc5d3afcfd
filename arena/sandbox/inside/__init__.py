"""What runs inside a jail, imported by no part of Arena: started as `inside.…` by an interpreter without its packages.

```
jail.py         namespaces and a root of its own, where bubblewrap does not make them
supervisor.py   forks the solution and its tests, and waits for the tests
rights.py       limits, users, capabilities    system_calls.py   the filter for system calls
solution.py     the process of the solution: executes it, then answers calls of its functions
tests_side.py   the process of the tests: executes them, and says that they reached their last line
values.py       the plain data that crosses between the two
```

The solution never shares a process with its tests: it has neither the descriptor of the verdict nor the text of a test,
and what it returns arrives as plain data, so that no `__eq__` of its own answers an assertion.
"""
