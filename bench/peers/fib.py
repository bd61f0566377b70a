"""What computes, in all of the peers that are written in Python."""


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)
