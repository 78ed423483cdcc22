#!/usr/bin/env bash
# check_dist.sh SOURCE BUILD: makes the tarball and the package, and runs the tarball in a root that has the C library and
# nothing else.
set -euo pipefail
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$source/dist" --out "$work/dist"
(cd "$work/dist" && sha256sum --quiet --check SHA256SUMS)

# ------------------------------------------------------------------------------------------ tarball
root=$work/root
mkdir -p "$root/proc" "$root/tmp" "$root/usr/share"
tar -C "$root" -xzf "$work"/dist/levada-*.tar.gz
mv "$root"/levada-* "$root/levada"
cp -r /usr/share/zoneinfo "$root/usr/share/"
for library in libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 librt.so.1 libresolv.so.2; do
  install -D "$(ldconfig -p | sed -n "s/^\t$library .*x86-64.* => //p" | head -1)" "$root/lib/x86_64-linux-gnu/$library"
done
install -D /lib64/ld-linux-x86-64.so.2 "$root/lib64/ld-linux-x86-64.so.2"
bare() { env -i unshare --map-root-user --mount sh -c 'mount --rbind /proc "$0/proc" && exec chroot "$0" "$@"' "$root" "$@"; }
if unshare --map-root-user --mount true 2>/dev/null; then
  bare /levada/bin/levada version | grep -q '^levada [0-9]'
  bare /levada/bin/levada explain LV1002 | grep -q 'unknown key'
  bare /levada/bin/levada self-check
else
  echo "no user namespaces here: the tarball was not tried in a bare root"
fi

# ----------------------------------------------------------------------------------- Debian package
deb=$(ls "$work"/dist/*.deb)
contents=$(dpkg-deb --contents "$deb")
for file in usr/bin/levada usr/lib/levada/libarrow.so usr/share/man/man1/levada.1.gz usr/share/levada/levada.schema.json \
  usr/share/bash-completion/completions/levada usr/share/doc/levada/examples/systemd/levada-pipelines.timer \
  usr/share/levada/levada.serve.schema.json usr/lib/systemd/system/levada.service usr/lib/sysusers.d/levada.conf \
  etc/levada/serve.yaml; do
  grep -q "\./$file" <<<"$contents" || { echo "the package has no $file" >&2; exit 1; }
done
dpkg-deb --field "$deb" Depends | tr ',' '\n' | while read -r package; do
  dpkg-query --show --showformat='${db:Status-Status}' "${package%% *}" | grep -qx installed
done
dpkg-deb --extract "$deb" "$work/package"
"$work/package/usr/bin/levada" version | grep -q '^levada [0-9]'
echo "tarball and package work"
