#!/bin/sh
# A consumer of files that are Arrow IPC streams already, one a day: DIRECTORY/2026-01-31.arrows.
# Asked for the schema, the newest file has it; levada stops reading behind it.
set -eu
case "$LEVADA_ASK" in
  schema) file=$(ls "$1"/*.arrows | tail -n 1) ;;
  *) file="$1/$LEVADA_RUN.arrows" ;;
esac
[ -f "$file" ] || { echo "there is no $file yet" >&2; exit 75; }  # 75: try again later
exec cat "$file"
