#!/usr/bin/env bash
# changed_images.sh BEFORE: the rows of .github/images.json whose folder differs from that commit, as `rows=[…]`. All of them where the commit is not known.
set -euo pipefail
before="$1"
changed="$(git diff --name-only "$before" HEAD -- images 2>/dev/null || git ls-files images)"
rows="$(jq --compact-output --arg changed "$changed" \
  '($changed | split("\n")) as $files | [.[] | select(.folder as $folder | any($files[]; startswith($folder + "/")))]' .github/images.json)"
echo "rows=$rows"
