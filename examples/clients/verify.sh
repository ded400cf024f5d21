#!/bin/sh
# Asks a Keyward verifier about the access key in an `Authorization` header, read from standard input.
#
# Prints who it is and ends with 0. Ends with 1 where the key is not good, and with 2 where nobody can tell: let nobody in
# then, either. The key is in no argument of a program, where other users of the machine could see it.
set -eu
url=${KEYWARD_URL:-http://127.0.0.1:8470}

read -r scheme token || true
case $scheme in [Bb][Ee][Aa][Rr][Ee][Rr]) ;; *) echo 'no access key' >&2; exit 1 ;; esac
# Nothing else belongs into an access key, nor unquoted into JSON.
case $token in *[!A-Za-z0-9_]*) echo invalid_token >&2; exit 1 ;; esac

verdict=$(printf '{"token":"%s"}' "$token" |
  curl -sS --fail --max-time 2 -H 'Content-Type: application/json' --data-binary @- "$url/v1/verify") || exit 2
field() { printf '%s\n' "$verdict" | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
if [ "$(field valid)" != true ]; then
  field code >&2
  exit 1
fi
field subject
