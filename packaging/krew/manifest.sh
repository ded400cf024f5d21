#!/usr/bin/env bash
# Prints krew's manifest for the release archives in a folder: the platforms that have one, with its checksum.
set -euo pipefail

archives=$1
template=$(dirname "${BASH_SOURCE[0]}")/keyward.yaml
platform='' sum='' any=''

# Lines of a platform are kept until it is known whether its archive is there.
finish() {
  if [ -n "$sum" ]; then
    printf '%s' "$platform"
    any=yes
  fi
  platform='' sum=''
}

while IFS= read -r line; do
  case $line in
    '#'*) continue ;;
    '    - selector:') finish ;;
    '      uri: '*)
      archive=$archives/${line##*/}
      [ ! -f "$archive" ] || sum=$(sha256sum "$archive" | cut -d ' ' -f 1)
      ;;
    '      sha256: '*) line="      sha256: \"$sum\"" ;;
  esac
  if [ -n "$platform" ] || [ "$line" = '    - selector:' ]; then
    platform+=$line$'\n'
  else
    printf '%s\n' "$line"
  fi
done < "$template"
finish
[ -n "$any" ] || { echo "no archive of this version in $archives" >&2; exit 1; }
