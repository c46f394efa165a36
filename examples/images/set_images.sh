#!/usr/bin/env bash
# set_images.sh < LIST: put each REPOSITORY@DIGEST of the list into every stack file, in the place of the version of that repository that is there.
set -euo pipefail
while read -r image; do
  if [[ ! "$image" =~ ^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$ ]]; then
    echo "::error::this is no image in ECR by its digest: $image"
    exit 1
  fi
  repository="${image%@*}"
  dots="${repository//./\\.}"
  if ! grep --quiet --extended-regexp "${dots}[:@]" Pulumi.*.yaml; then
    echo "::error::no stack file names $repository: write it once by hand, with any tag, where the image shall be offered"
    exit 1
  fi
  sed --in-place --regexp-extended "s#${dots}(:[A-Za-z0-9_.-]+)?(@sha256:[0-9a-f]{64})?([^A-Za-z0-9_./:@-]|\$)#$image\3#g" Pulumi.*.yaml
done
