"""Badges with something changed, all of which have to be refused."""

import copy

BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def strings(value, path=()):
    """Every string inside of a value, as a path."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from strings(member, (*path, key))


def alter_string(document, path):
    """A copy of the document in which the character in the middle of one string is another."""
    document = copy.deepcopy(document)
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    text = parent[path[-1]]
    middle = len(text) // 2
    other = "x" if text[middle : middle + 1] != "x" else "y"
    parent[path[-1]] = text[:middle] + other + text[middle + 1 :]
    return document


def spread(values, most):
    """At most so many of the values, from the first to the last at even distances."""
    values = list(values)
    if len(values) <= most:
        return values
    return [values[number * (len(values) - 1) // (most - 1)] for number in range(most)]


def flip(data, position):
    """A copy in which one bit of one byte is another."""
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def alter_token(token, most):
    """Copies with one character changed, so many in each part, the ends included. The change is of the highest bit of a character, since the
    lowest ones of a part's last character can be padding, which stands for no byte."""
    start = 0
    for part in token.split("."):
        for position in spread(range(len(part)), most):
            at = start + position
            other = BASE64URL[BASE64URL.index(token[at]) ^ 32]
            yield at, token[:at] + other + token[at + 1 :]
        start += len(part) + 1
