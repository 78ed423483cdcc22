#!/usr/bin/env bash
# check_install.sh CMAKE BUILD_DIRECTORY: installs into a temporary directory, moves the tree, and runs it from elsewhere.
set -euo pipefail
cmake=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cmake" --install "$build" --prefix "$work/first" >"$work/log"
mkdir "$work/elsewhere"
mv "$work/first" "$work/elsewhere/moved tree"
levada="$work/elsewhere/moved tree/bin/levada"
cd /
env -u LD_LIBRARY_PATH "$levada" version | grep -q '^levada [0-9]'
env -u LD_LIBRARY_PATH "$levada" explain LV1002 | grep -q 'unknown key'
# No path of the machine that built it may be left to be searched.
if readelf -d "$levada" | grep -E 'R(UN)?PATH' | grep -vF '[$ORIGIN/../'; then
  echo "the installed binary looks for libraries outside of its tree" >&2
  exit 1
fi
test -f "$work/elsewhere/moved tree/share/doc/levada/LICENSE"
echo "the installed tree works"
