#!/usr/bin/env python3
"""Asks a Keyward verifier about the access key in an `Authorization` header, read from standard input.

Prints who it is and ends with 0. Ends with 1 where the key is not good, and with 2 where nobody can tell: let
nobody in then, either.
"""

import json
import os
import sys
import urllib.request

URL = os.environ.get("KEYWARD_URL", "http://127.0.0.1:8470")


def verify(token, **more):
    """The verdict. `more` may have `resource`, `onBehalfOf` and `requestId`."""
    question = json.dumps({"token": token, **more}).encode()
    request = urllib.request.Request(f"{URL}/v1/verify", question, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=2) as answer:
        return json.load(answer)


def main():
    scheme, _, token = sys.stdin.read().strip().partition(" ")
    if scheme.lower() != "bearer":
        print("no access key", file=sys.stderr)
        return 1
    try:
        verdict = verify(token)
    except (OSError, ValueError) as error:
        print(f"cannot tell: {error}", file=sys.stderr)
        return 2
    if not verdict["valid"]:
        print(verdict["code"], file=sys.stderr)
        return 1
    print(verdict["subject"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
